import { describe, expect, it } from 'vitest';
import { findModel } from '../../../sim/model/catalogue.ts';
import { summariseModel } from '../../../sim/model/quantities.ts';
import { plan } from '../../../sim/planner/plan.ts';
import { IDEAL_MACHINE, scenarioOf } from '../schedule/scenarios.ts';

const MODELS = ['opt-125m', 'opt-6.7b', 'opt-30b', 'llama-2-7b', 'llama-3.1-8b', 'qwen3-30b-a3b'];
const WORKLOADS = [
  { batch: 64, promptTokens: 512, generatedTokens: 2 },
  { batch: 3, promptTokens: 77, generatedTokens: 2 },
];
const LINK = 25e9;

/*
 * DESIGN.md section 6: on a machine with infinite memory bandwidths, zero latency and launch, duplex 1 and efficiency 1, in the first step
 * with R the step of `resident`, L layers, X, KV and recompute those of one layer:
 *   transfer − R = L · KV(s)/link
 *   kvpr-row − R = L · min over l of X(l)/link + max(recompute(l), KV(s − l)/link)
 */
describe('on an ideal machine', () => {
  for (const name of MODELS) {
    for (const workload of WORKLOADS) {
      for (const [matmul, flops] of [
        ['20 TFLOP/s', 20e12],
        ['300 TFLOP/s', 300e12],
      ] as const) {
        it(`${name} with batch ${workload.batch} at ${matmul} takes exactly the closed form with transfer and kvpr-row`, () => {
          const model = findModel(name);
          if (!model) throw new Error(name);
          const { kvBytesPerTokenPerLayer, activationBytesPerTokenPerLayer, recomputeFlopsPerTokenPerLayer } =
            summariseModel(model);
          const machine = { ...IDEAL_MACHINE, gpu: { ...IDEAL_MACHINE.gpu, matmul } };
          const result = plan(
            scenarioOf({ model: name, machine, workload, schedules: ['resident', 'transfer', 'kvpr-row'] }),
          );
          const step = (schedule: string) =>
            result.candidates.find((c) => c.schedule === schedule)?.firstStepSeconds ?? Number.NaN;
          const kv = (tokens: number) => (workload.batch * tokens * kvBytesPerTokenPerLayer) / LINK;
          const x = (tokens: number) => (workload.batch * tokens * activationBytesPerTokenPerLayer) / LINK;
          const recompute = (tokens: number) => (workload.batch * tokens * recomputeFlopsPerTokenPerLayer) / flops;
          const s = workload.promptTokens;
          let least = Number.POSITIVE_INFINITY;
          for (let l = 0; l <= s; l++) least = Math.min(least, x(l) + Math.max(recompute(l), kv(s - l)));

          expect((step('transfer') - step('resident')) / (model.layers * kv(s))).toBeCloseTo(1, 9);
          expect((step('kvpr-row') - step('resident')) / (model.layers * least)).toBeCloseTo(1, 9);
          expect(result.analytic.objectiveSeconds / least).toBeCloseTo(1, 12);
        });
      }
    }
  }

  it('kvpr-column takes weights and every micro-batch’s X and KV over the link in a steady layer', () => {
    // Link-bound: n·(X + KV) + weights per layer; two models that differ by layers alone show the steady layer.
    const step = (layers: number) => {
      const shape = { layers, hidden: 512, heads: 8, ffn: 2048, gated: false, vocab: 100, rotary: false };
      const machine = { ...IDEAL_MACHINE, gpu: { ...IDEAL_MACHINE.gpu, matmul: '1000 TFLOP/s' } };
      const workload = { batch: 4, promptTokens: 100, generatedTokens: 1, microBatches: 3 };
      const scenario = scenarioOf({
        model: shape,
        machine,
        workload,
        placement: { weights: 'host' },
        schedules: ['kvpr-column'],
        split: { recomputed: 60 },
      });
      return plan(scenario).candidates[0];
    };
    const more = step(12);
    const less = step(11);
    const bytes = more.bytesPerStep.h2d - less.bytesPerStep.h2d;
    const weights = 2 * (4 * 512 * 512 + 2 * 512 * 2048);
    const perMicroBatch = 4 * (60 * 512 * 2 + 40 * 2 * 512 * 2);
    expect(bytes).toBeGreaterThanOrEqual(weights + 3 * perMicroBatch);
    expect(bytes).toBeLessThan((weights + 3 * perMicroBatch) * 1.001);
    expect((more.firstStepSeconds - less.firstStepSeconds) / (bytes / LINK)).toBeCloseTo(1, 9);
  });
});
