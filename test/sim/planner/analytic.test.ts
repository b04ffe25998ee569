import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyticSplit, rowObjectiveSeconds, tokenSeconds } from '../../../sim/planner/analytic.ts';
import {
  IDEAL_MACHINE,
  SMALL_MODEL,
  scenarioOf,
  smallMachines,
  smallModels,
  smallWorkloads,
} from '../schedule/scenarios.ts';

const WORKLOAD = { batch: 4, promptTokens: 600, generatedTokens: 1 };
const RATES = { h2d: '1 GB/s', d2h: '1 GB/s' };

function ideal(model: object | string, { matmul = '1 TFLOP/s', link = RATES as object, precision = {} } = {}) {
  const machine = { ...IDEAL_MACHINE, gpu: { ...IDEAL_MACHINE.gpu, matmul }, link };
  return scenarioOf({ model, machine, workload: WORKLOAD, precision });
}

describe('the closed form', () => {
  it('is the best l of all in the row objective, on random models and machines', () => {
    fc.assert(
      fc.property(
        smallModels,
        smallMachines,
        smallWorkloads,
        fc.constantFrom('fp32', 'fp16', 'int8'),
        fc.constantFrom('fp16', 'int4'),
        (model, machine, workload, activations, kv) => {
          const scenario = scenarioOf({ model, machine, workload, precision: { activations, kv } });
          const cost = tokenSeconds(scenario);
          const s = workload.promptTokens;
          const all = Array.from(
            { length: s + 1 },
            (_, l) => l * cost.activation + Math.max(l * cost.recompute, (s - l) * cost.kv),
          );
          const found = analyticSplit(scenario);
          expect(found.objectiveSeconds / Math.min(...all)).toBeCloseTo(1, 12);
          expect(all[found.splitTokens]).toBeCloseTo(found.objectiveSeconds, 15);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('counts a token by hand: 4 · 64 elements of X, 4 · 128 of KV at 2 bytes over 1 GB/s, 4 · 4 · 64 · 64 FLOPs at 1 TFLOP/s', () => {
    const cost = tokenSeconds(ideal(SMALL_MODEL));
    expect(cost.activation).toBeCloseTo(512e-9, 18);
    expect(cost.kv).toBeCloseTo(1024e-9, 18);
    expect(cost.recompute).toBeCloseTo(65_536e-12, 18);
  });

  it('balances recomputation with the rest of the transfer: l · 3 = (s − l) · 1 at l = s / 4', () => {
    // 65536 FLOPs take three times as long as 1024 bytes at 1 GB/s.
    const found = analyticSplit(ideal(SMALL_MODEL, { matmul: `${65_536 / 3072e-9} FLOP/s` }));
    expect(found.splitTokens).toBe(150);
    expect(found.recomputeSeconds).toBeCloseTo(found.kvSeconds, 12);
    expect(found.objectiveSeconds).toBeCloseTo(150 * 512e-9 + 450 * 1024e-9, 15);
  });

  it('adds X to the longer of recomputation and transfer', () => {
    const cost = { activation: 1, recompute: 2, kv: 5 };
    expect(rowObjectiveSeconds(cost, 3, 10)).toBe(3 + 35);
    expect(rowObjectiveSeconds(cost, 9, 10)).toBe(9 + 18);
  });

  it('recomputes everything with an infinitely fast GPU where X is smaller than KV', () => {
    expect(analyticSplit(ideal(SMALL_MODEL, { matmul: 'inf' }))).toMatchObject({
      splitTokens: 600,
      recomputeSeconds: 0,
      kvSeconds: 0,
    });
  });

  it('recomputes nothing over an infinitely fast link, and where nothing costs anything', () => {
    const link = { h2d: 'inf', d2h: 'inf' };
    const nothing = { splitTokens: 0, activationSeconds: 0, recomputeSeconds: 0, kvSeconds: 0, objectiveSeconds: 0 };
    expect(analyticSplit(ideal(SMALL_MODEL, { link }))).toEqual(nothing);
    expect(analyticSplit(ideal(SMALL_MODEL, { link, matmul: 'inf' }))).toEqual(nothing);
  });

  it('recomputes nothing with grouped-query or latent attention, where X outweighs KV', () => {
    for (const name of ['llama-3.1-8b', 'mixtral-8x7b', 'qwen3-32b', 'deepseek-v3']) {
      expect(analyticSplit(ideal(name, { matmul: 'inf' })).splitTokens, name).toBe(0);
    }
  });

  it('weighs latents: 2 · hidden · (kvRank + ropeDim) FLOPs and (kvRank + ropeDim) elements a token', () => {
    const cost = tokenSeconds(ideal({ ...SMALL_MODEL, mla: { kvRank: 200, ropeDim: 24 } }));
    expect(cost.kv).toBeCloseTo(4 * 224 * 2e-9, 18);
    expect(cost.recompute).toBeCloseTo(4 * 2 * 64 * 224e-12, 18);
    const found = analyticSplit(ideal({ ...SMALL_MODEL, mla: { kvRank: 200, ropeDim: 24 } }));
    expect(found.splitTokens).toBeGreaterThan(0);
  });

  it('turns to transferring where the cache is quantised below its activations', () => {
    expect(analyticSplit(ideal(SMALL_MODEL, { precision: { kv: 'int4' } })).splitTokens).toBe(0);
    expect(analyticSplit(ideal(SMALL_MODEL)).splitTokens).toBeGreaterThan(0);
  });
});
