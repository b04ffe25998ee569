import { z } from 'zod';
import { inlineMachineSchema } from '../machine/inline.ts';
import { inlineShapeSchema } from '../model/inline.ts';
import { PRECISIONS } from '../plan/plan.ts';
import { SCHEDULES } from '../schedule/names.ts';
import { nameSchema } from './name.ts';

// A description that starts with a small letter completes the sentence "expected …": errors are written from it.

const MAX_TOKENS = 1 << 24;

const countUpTo = (most: number) => z.int().min(1).max(most);

const precision = z.enum(PRECISIONS).default('fp16');

const home = z.enum(['gpu', 'host']);

const tokenShare = z
  .union([z.int().min(0).max(MAX_TOKENS), z.string().regex(/^\s*\d{1,3}(\.\d{1,12})?\s*%\s*$/)])
  .describe('a whole number of tokens or a percentage of the context such as 37%')
  .optional();

const split = z
  .union([
    z.literal('auto'),
    z.strictObject({ resident: tokenShare, recomputed: tokenShare, transferred: tokenShare, hostAttended: tokenShare }),
  ])
  .describe('auto, or a mapping such as { recomputed: 380 } or { recomputed: 37%, resident: 10% }');

const axisEnd = z.union([z.number(), z.string().min(1)]).describe('a number or a quantity such as 8 GB/s');

const axis = z
  .union([
    z.array(z.unknown()).min(1, 'at least one value').max(100_000),
    z.strictObject({
      from: axisEnd,
      to: axisEnd,
      steps: z.int().min(2).max(100_000),
      scale: z.enum(['linear', 'log']).default('linear'),
    }),
  ])
  .describe('a list of values, or a range such as { from: 8 GB/s, to: 64 GB/s, steps: 15, scale: log }');

/** The document of a scenario as people write it; names are not looked up and quantities not read yet. */
export const scenarioSchema = z.strictObject({
  name: nameSchema.optional(),
  model: z
    .union([z.string().min(1), inlineShapeSchema])
    .describe('the name of a model, the path of a Hugging Face config.json, or an inline shape'),
  machine: z
    .union([z.string().min(1), inlineMachineSchema])
    .describe('the name of a machine, the path of a profile, or an inline machine (gpu, host, link)'),
  layers: countUpTo(10_000).describe('Run only the first layers of the model.').optional(),
  workload: z.strictObject({
    batch: countUpTo(65_536),
    promptTokens: countUpTo(MAX_TOKENS),
    generatedTokens: countUpTo(1 << 20),
    microBatches: countUpTo(64).default(1),
  }),
  precision: z.strictObject({ weights: precision, kv: precision, activations: precision }).prefault({}),
  placement: z.strictObject({ weights: home.default('gpu'), kv: home.default('host') }).prefault({}),
  schedules: z.array(z.enum(SCHEDULES)).min(1, 'at least one schedule').optional(),
  split: split.default('auto'),
  sweep: z.record(z.string().min(1), axis).optional(),
});

/** A valid document with its defaults filled in. */
export type ScenarioDocument = z.output<typeof scenarioSchema>;

let jsonSchema: Record<string, unknown> | undefined;

/** JSON Schema (draft 2020-12) of a scenario document, made from the schema that validates it. */
export function scenarioJsonSchema(): Record<string, unknown> {
  jsonSchema ??= { title: 'splitpoint scenario', ...z.toJSONSchema(scenarioSchema, { io: 'input' }) };
  return jsonSchema;
}
