import { describe, expect, it } from 'vitest';
import { plan } from '../../../sim/planner/plan.ts';
import { splitCurve } from '../../../sim/planner/split-curve.ts';
import { IDEAL_MACHINE, REAL_MACHINE, SMALL_MODEL, scenarioOf } from '../schedule/scenarios.ts';

const WORKLOAD = { batch: 16, promptTokens: 96, generatedTokens: 1 };
const scenario = (machine: object | string, more: object = {}) =>
  scenarioOf({ model: 'opt-1.3b', machine, workload: WORKLOAD, ...more });

describe('the split curve', () => {
  it('goes from recomputing nothing to recomputing all, through the splits asked for, each once and in order', () => {
    const curve = splitCurve(scenario('l4'), 'kvpr-row', [7, 48, 48, 95.5], 5);
    expect(curve.map(({ recomputedTokens }) => recomputedTokens)).toEqual([0, 7, 24, 48, 72, 96]);
  });

  it('lies on the closed form at every split on an ideal machine', () => {
    for (const point of splitCurve(scenario(IDEAL_MACHINE), 'kvpr-row')) {
      expect(point.simulatedSeconds / point.closedFormSeconds).toBeCloseTo(1, 9);
    }
  });

  it('is what the planner gives for the same split', () => {
    for (const schedule of ['kvpr-row', 'kvpr-pipelined'] as const) {
      for (const { recomputedTokens, simulatedSeconds } of splitCurve(scenario('l4'), schedule, [], 4)) {
        const split = { recomputed: recomputedTokens };
        const [candidate] = plan(scenario('l4', { schedules: [schedule], split })).candidates;
        // Not to the last digit: where all is recomputed a plan of its own goes on with transfers, and stores KV instead of X.
        expect(simulatedSeconds / candidate.firstStepSeconds).toBeCloseTo(1, 4);
      }
    }
  });

  it('has its lowest point where the planner chooses the split', () => {
    const [chosen] = plan(scenario('l4', { schedules: ['kvpr-row'] })).candidates;
    const curve = splitCurve(scenario('l4'), 'kvpr-row', [], WORKLOAD.promptTokens + 1);
    const lowest = curve.reduce((least, point) => (point.simulatedSeconds < least.simulatedSeconds ? point : least));
    expect(lowest.recomputedTokens).toBe(chosen.split.recomputed);
    expect(lowest.recomputedTokens).toBeGreaterThan(0);
    expect(lowest.recomputedTokens).toBeLessThan(WORKLOAD.promptTokens);
  });

  it('is nowhere below the bound', () => {
    for (const { simulatedSeconds, boundSeconds } of splitCurve(scenario('l4'), 'kvpr-pipelined')) {
      expect(boundSeconds).toBeGreaterThan(0);
      expect(boundSeconds).toBeLessThanOrEqual(simulatedSeconds);
    }
  });

  it('recomputes the same share of what a windowed layer attends', () => {
    // Two of three layers attend 24 of 96 tokens: on an ideal machine half of those, and half of the other's, are recomputed.
    const model = { ...SMALL_MODEL, window: { size: 24, every: 3 } };
    const windowed = scenario(IDEAL_MACHINE, { model });
    const [, half] = splitCurve(windowed, 'kvpr-row', [], 3);
    expect(half.recomputedTokens).toBe(48);
    const [first, , last] = splitCurve(windowed, 'kvpr-row', [], 3);
    const bytes = (x: number, kv: number) => (WORKLOAD.batch * 2 * (2 * 24 + 96) * (64 * x + 128 * kv)) / 25e9;
    // X crosses first, then KV, which takes longer than the recomputation.
    expect((first.simulatedSeconds - half.simulatedSeconds) / (bytes(0, 1) - bytes(0.5, 0.5))).toBeCloseTo(1, 6);
    expect(last.simulatedSeconds).toBeGreaterThan(bytes(1, 0));
  });

  it('counts every micro-batch in the closed form', () => {
    const curve = (microBatches: number) =>
      splitCurve(
        scenario(REAL_MACHINE, { model: SMALL_MODEL, workload: { ...WORKLOAD, microBatches } }),
        'kvpr-pipelined',
        [],
        2,
      )[0].closedFormSeconds;
    expect(curve(3) / curve(1)).toBeCloseTo(3, 9);
  });
});
