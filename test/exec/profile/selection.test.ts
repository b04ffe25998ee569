import { describe, expect, it } from 'vitest';
import { defaultPlans } from '../../../exec/profile/default-plans.ts';
import { scenarioPlans } from '../../../exec/profile/scenario-plans.ts';
import { type Kernels, kernelsOf, thinned } from '../../../exec/profile/selection.ts';
import { KINDS, Kind, type Plan } from '../../../sim/plan/plan.ts';
import { ELEMENTWISE_KINDS } from '../../../sim/profile/profile.ts';
import { tinyScenario } from './scenarios.ts';

const PLANS = scenarioPlans(tinyScenario());

describe('sizes on a curve', () => {
  it('stay as they are where they are few', () => {
    expect(thinned([5, 3, 9])).toEqual([3, 5, 9]);
  });

  it('are thinned to both ends and what lies evenly between, by logarithm', () => {
    const sizes = Array.from({ length: 1024 }, (_, i) => i + 1);
    const few = thinned(sizes, 6);
    expect(few).toEqual([1, 4, 16, 64, 256, 1024]);
  });
});

describe('the plans of a scenario', () => {
  it('are of its first and its last step', () => {
    const attended = PLANS.flatMap(({ works }) => [...works.k].filter((_, w) => works.kind[w] === Kind.attend));
    // All of the context and the new token; the last of 9 steps attends 8 more.
    expect(attended).toContain(41);
    expect(attended).toContain(49);
    expect(Math.max(...attended)).toBe(49);
  });
});

describe('the kernels of plans', () => {
  const kernels = kernelsOf(PLANS);

  it('are measured at both ends of what the plans ask, so that no cost is guessed beyond', () => {
    const keyOf = (works: Plan['works'], w: number) =>
      [works.kind[w], works.dtype[w], works.n[w], works.k[w], works.batch[w]].join();
    const ends = new Map<string, [number, number]>();
    for (const { works } of PLANS) {
      for (let w = 0; w < works.count; w++) {
        if (works.kind[w] !== Kind.gemm) continue;
        const [low, high] = ends.get(keyOf(works, w)) ?? [Infinity, 0];
        ends.set(keyOf(works, w), [Math.min(low, works.m[w]), Math.max(high, works.m[w])]);
      }
    }
    for (const [key, [low, high]] of ends) {
      const own = kernels.gemm.filter(({ kind, dtype, n, k, batch }) => [kind, dtype, n, k, batch].join() === key);
      const sizes = own.map(({ m }) => m);
      expect([key, Math.min(...sizes), Math.max(...sizes)]).toEqual([key, low, high]);
      expect(new Set(sizes).size).toBe(sizes.length);
    }
  });

  it('have all panels of a projection', () => {
    const panels = ({ operands }: Kernels['gemm'][number]) => operands.length - 1;
    const project = kernels.gemm.find(({ n, k }) => n === 64 + 2 * 32 && k === 64);
    const up = kernels.gemm.find(({ n, k }) => n === 2 * 96 && k === 64);
    const recompute = kernels.gemm.find(({ batch }) => batch === 2);
    // A weight and an output each.
    expect([project, up, recompute].map((probe) => panels(probe!))).toEqual([6, 4, 4]);
  });

  it('come smallest first, so that what does not fit the time is the largest', () => {
    for (const probes of Object.values(kernels)) {
      const flops = probes.map((probe) => probe.flops);
      expect(flops).toEqual([...flops].sort((a, b) => a - b));
    }
  });

  it('leave out what cannot be executed', () => {
    const experts = {
      ...tinyScenario().model,
      moe: { experts: 8, active: 2, expertFfn: 32, sharedFfn: 0, denseLayers: 0 },
    };
    const quantised = { weights: 'int4', kv: 'int8', activations: 'int8' } as const;
    const found = kernelsOf(scenarioPlans({ ...tinyScenario(), model: experts }));
    expect(found.gemm.every(({ m, batch }) => Number.isInteger(m) && Number.isInteger(batch))).toBe(true);
    expect(Object.values(kernelsOf(scenarioPlans({ ...tinyScenario(), precision: quantised }))).flat()).toEqual([]);
  });
});

describe('the kernels measured where nobody asks for others', () => {
  it.each(['cpu', 'cuda'] as const)('on %s are of every kind', (backend) => {
    const kernels = kernelsOf(defaultPlans(backend));
    expect(kernels.attention.some(({ model }) => model.heads === model.kvHeads)).toBe(true);
    expect(kernels.attention.some(({ model }) => model.heads > model.kvHeads)).toBe(true);
    expect(kernels.hostAttention.length).toBeGreaterThan(8);
    const kinds = kernels.elementwise.map(({ kind }) => KINDS[kind]);
    expect(new Set(kinds)).toEqual(new Set(ELEMENTWISE_KINDS));
    const recomputed = kernels.gemm.filter(({ batch }) => batch === 2).map(({ m }) => m);
    expect(Math.min(...recomputed)).toBeLessThanOrEqual(256);
    expect(Math.max(...recomputed)).toBeGreaterThanOrEqual(8192);
  });
});
