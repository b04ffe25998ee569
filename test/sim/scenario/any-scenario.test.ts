import fc from 'fast-check';
import { expect, it } from 'vitest';
import { plan } from '../../../sim/planner/plan.ts';
import { InputError } from '../../../sim/scenario/input-error.ts';
import { scenarioFromDocument } from '../../../sim/scenario/parse.ts';
import { INLINE_SHAPE } from './valid.ts';

const rate = (unit: string) => fc.constantFrom(`1e-6 ${unit}`, `1 ${unit}`, `1000 ${unit}`, `1e9 ${unit}`, 'inf');
const size = fc.constantFrom('1 MiB', '10 MB', '1 GiB', '1 TiB', '1e18 B');
const time = fc.constantFrom('0 s', '1 ns', '8 us', '1 s');
const share = fc.constantFrom(1e-3, 0.5, 1);

const machine = fc.record({
  gpu: fc.record({ memory: size, matmul: rate('TFLOP/s'), memoryBandwidth: rate('GB/s'), launch: time }),
  host: fc.record({ memory: size, memoryBandwidth: rate('GB/s'), matmul: rate('TFLOP/s') }),
  link: fc.record({ h2d: rate('GB/s'), d2h: rate('GB/s'), latency: time, duplex: share }),
  efficiency: fc.record({ matmul: share, gpuMemory: share, hostMemory: share }),
});

const model = fc.record({
  layers: fc.integer({ min: 1, max: 3 }),
  kvHeads: fc.constantFrom(1, 4, 16),
  gated: fc.boolean(),
  window: fc.constantFrom(undefined, { size: 3, every: 0 }, { size: 8, every: 2 }),
});

const precision = fc.constantFrom('fp32', 'fp16', 'int8', 'int4');
const home = fc.constantFrom('gpu', 'host');
const percentage = fc.constantFrom(undefined, '0%', '10%', '33.3%');

const document = fc.record({
  model: model.map((part) => ({ ...INLINE_SHAPE, ...part })),
  machine,
  workload: fc.record({
    batch: fc.constantFrom(1, 7, 65_536),
    promptTokens: fc.constantFrom(1, 2, 17, 5000),
    generatedTokens: fc.constantFrom(1, 2, 5),
    microBatches: fc.constantFrom(1, 2),
  }),
  precision: fc.record({ weights: precision, kv: precision, activations: precision }),
  placement: fc.record({ weights: home, kv: home }),
  split: fc.oneof(
    fc.constant('auto'),
    fc.record({
      resident: percentage,
      recomputed: percentage,
      transferred: fc.constant(undefined),
      hostAttended: percentage,
    }),
  ),
});

/** Every number anywhere in a value. */
function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(numbersIn) : [];
}

it('a plan of any scenario has only finite numbers, and is refused with nothing but an InputError', () => {
  let plans = 0;
  fc.assert(
    fc.property(document, (scenario) => {
      try {
        const result = plan(scenarioFromDocument(scenario));
        plans++;
        expect(numbersIn(result).every(Number.isFinite)).toBe(true);
        for (const { split } of result.candidates) {
          expect(Object.values(split).every((tokens) => tokens >= 0)).toBe(true);
        }
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
      }
    }),
    { numRuns: 200 },
  );
  expect(plans).toBeGreaterThan(20);
});
