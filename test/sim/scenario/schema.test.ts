import { describe, expect, it } from 'vitest';
import { scenarioJsonSchema } from '../../../sim/scenario/schema.ts';

describe('the JSON Schema of a scenario', () => {
  const schema = scenarioJsonSchema() as Record<string, unknown> & {
    properties: Record<string, { properties: object }>;
  };

  it('asks for model, machine and workload only', () => {
    expect(schema.required).toEqual(['model', 'machine', 'workload']);
    expect(schema.additionalProperties).toBe(false);
  });

  it('states limits, choices and defaults', () => {
    expect(schema.properties.workload.properties).toMatchObject({
      batch: { type: 'integer', minimum: 1, maximum: 65_536 },
      microBatches: { default: 1 },
    });
    expect(schema.properties.precision.properties).toMatchObject({
      kv: { default: 'fp16', enum: ['fp32', 'fp16', 'bf16', 'int8', 'int4'] },
    });
  });

  it('is JSON', () => {
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  });
});
