import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stepBound } from '../../../sim/planner/bound.ts';
import { plan } from '../../../sim/planner/plan.ts';
import type { Scenario } from '../../../sim/scenario/scenario.ts';
import { layerGroups } from '../../../sim/schedule/layer-groups.ts';
import { IDEAL_MACHINE, scenarioOf, smallMachines, smallModels, smallWorkloads } from '../schedule/scenarios.ts';

/** One layer, KV of 2 · 256 elements and X of 256 a token: at fp16 1024 and 512 bytes; 2 · 256 · 512 = 262144 FLOPs to recompute. */
const MODEL = { layers: 1, hidden: 256, heads: 4, kvHeads: 4, headDim: 64, ffn: 1024, gated: false, vocab: 100 };
const TOKENS = 1_000_000;
const WORKLOAD = { batch: 100, promptTokens: TOKENS / 100, generatedTokens: 1 };
/** A GPU that holds the weights (1.68 MB) and not the cache. */
const NO_ROOM = { ...IDEAL_MACHINE.gpu, memory: '1 MB' };

const boundOf = (scenario: Scenario, memoryLimited = true) =>
  stepBound(scenario, layerGroups(scenario.model), memoryLimited)(scenario.workload.promptTokens);

const small = (machine: object) => scenarioOf({ model: MODEL, machine, workload: WORKLOAD });

describe('the bound of a step', () => {
  it('is that of the link where it binds: all X, if host attention and arithmetic are slow and fast', () => {
    const scenario = small({
      gpu: { ...NO_ROOM, matmul: 'inf' },
      host: { ...IDEAL_MACHINE.host, matmul: '1 kFLOP/s' },
      link: { h2d: '1 GB/s', d2h: '1 GB/s' },
    });
    expect(boundOf(scenario) / ((TOKENS * 512) / 1e9)).toBeCloseTo(1, 5);
  });

  it('is that of the link and the host’s cores together: a share a on the host takes a · 4 · 256 FLOPs, the rest (1 − a) · 512 bytes', () => {
    const scenario = small({
      gpu: { ...NO_ROOM, matmul: 'inf' },
      host: { ...IDEAL_MACHINE.host, matmul: '1 GFLOP/s' },
      link: { h2d: '1 GB/s', d2h: '1 GB/s' },
    });
    // a · 1024 = (1 − a) · 512 at a = 1/3.
    expect(boundOf(scenario) / ((TOKENS * 512 * 2) / 3 / 1e9)).toBeCloseTo(1, 6);
  });

  it('balances arithmetic with the link: X and recomputation of a share, KV of the rest', () => {
    const scenario = small({
      gpu: { ...NO_ROOM, matmul: '0.262144 TFLOP/s' },
      host: { ...IDEAL_MACHINE.host, matmul: '3 kFLOP/s' },
      link: { h2d: '1 GB/s', d2h: '1 GB/s' },
    });
    // Link: a · 512 + (1 − a) · 1024 ns. GPU: all tokens attend, 1024 FLOPs each, a of them take 1000 ns more;
    // the layer's and the head's dense kernels once per sequence.
    const dense = (100 * 2 * (4 * 256 * 256 + 2 * 256 * 1024 + 100 * 256 + (4 * 256) / 2)) / 0.262144e12 / TOKENS;
    const attend = 1024 / 0.262144e12;
    const share = (1024e-9 - attend - dense) / (1000e-9 + 512e-9);
    expect(boundOf(scenario) / (TOKENS * (1024e-9 - share * 512e-9))).toBeCloseTo(1, 5);
  });

  it('is that of the host’s memory where it binds, X being the least that must be read', () => {
    const scenario = small({
      gpu: { ...NO_ROOM, matmul: 'inf' },
      host: { ...IDEAL_MACHINE.host, memoryBandwidth: '2 GB/s' },
      link: { h2d: 'inf', d2h: 'inf' },
    });
    expect(boundOf(scenario) / ((TOKENS * 512) / 2e9)).toBeCloseTo(1, 6);
  });

  it('is that of the GPU’s memory where it binds: KV that comes is written and read', () => {
    const bandwidth = 10e9;
    const scenario = small({
      gpu: { ...NO_ROOM, matmul: 'inf', memoryBandwidth: '10 GB/s' },
      host: { ...IDEAL_MACHINE.host, matmul: '1 kFLOP/s' },
      link: { h2d: 'inf', d2h: 'inf' },
    });
    const least = (TOKENS * 2 * 1024) / bandwidth;
    expect(boundOf(scenario)).toBeGreaterThan(least);
    // Weights and the new tokens' own traffic are small beside it.
    expect(boundOf(scenario)).toBeLessThan(least * 1.01);
  });

  it('is that of offloaded weights where nothing else costs anything', () => {
    const model = { ...MODEL, layers: 5 };
    const machine = {
      ...IDEAL_MACHINE,
      gpu: { ...IDEAL_MACHINE.gpu, matmul: 'inf' },
      link: { h2d: '1 GB/s', d2h: '1 GB/s' },
    };
    const scenario = scenarioOf({ model, machine, workload: WORKLOAD, placement: { weights: 'host' } });
    const weights = 5 * 2 * (4 * 256 * 256 + 2 * 256 * 1024);
    expect(boundOf(scenario)).toBeGreaterThanOrEqual((weights / 1e9) * (1 - 1e-8));
    // Norms are weights too.
    expect(boundOf(scenario)).toBeLessThan((weights / 1e9) * 1.01);
  });

  it('is what `resident` takes where everything fits and only the GPU’s memory costs time', () => {
    for (const memoryBandwidth of ['50 GB/s', '2 TB/s']) {
      const machine = {
        ...IDEAL_MACHINE,
        gpu: { ...IDEAL_MACHINE.gpu, matmul: 'inf', memoryBandwidth, launch: '3 us' },
      };
      const host = { ...IDEAL_MACHINE.host, matmul: '30 kFLOP/s' };
      const workload = { batch: 8, promptTokens: 500, generatedTokens: 1 };
      const scenario = scenarioOf({
        model: 'opt-125m',
        machine: { ...machine, host },
        workload,
        schedules: ['resident'],
      });
      const [resident] = plan(scenario).candidates;
      expect(boundOf(scenario) / resident.firstStepSeconds).toBeCloseTo(1, 6);
    }
  });

  it('lets a token stay resident only as far as there is room', () => {
    const machine = (memory: string) => ({
      gpu: { ...IDEAL_MACHINE.gpu, matmul: 'inf', memory },
      host: { ...IDEAL_MACHINE.host, matmul: '1 kFLOP/s' },
      link: { h2d: '1 GB/s', d2h: '1 GB/s' },
    });
    const all = (TOKENS * 512) / 1e9;
    // 1024 bytes for each of 250,000 tokens beside about 1.7 MB of weights.
    expect(boundOf(small(machine('257.7 MB'))) / all).toBeCloseTo(0.75, 3);
    expect(boundOf(small(machine('2 GB')))).toBe(0);
    expect(boundOf(small(machine('257.7 MB')), false)).toBe(0);
  });

  it('never rises when any rate is raised, nor when memory grows', () => {
    const paths = [
      ['gpu', 'matmulFlopsPerSecond'],
      ['gpu', 'memoryBytesPerSecond'],
      ['gpu', 'memoryBytes'],
      ['host', 'memoryBytesPerSecond'],
      ['host', 'matmulFlopsPerSecond'],
      ['link', 'h2dBytesPerSecond'],
      ['link', 'd2hBytesPerSecond'],
    ] as const;
    fc.assert(
      fc.property(
        smallModels,
        smallMachines,
        smallWorkloads,
        fc.constantFrom('gpu', 'host'),
        fc.constantFrom(...paths),
        fc.constantFrom(1.001, 1.5, 100, Number.POSITIVE_INFINITY),
        fc.constantFrom(0.00001, 1),
        (model, machine, workload, weights, [part, rate], factor, memory) => {
          const drawn = scenarioOf({ model, machine, workload, placement: { weights } });
          const gpu = { ...drawn.machine.gpu, memoryBytes: drawn.machine.gpu.memoryBytes * memory };
          const scenario = { ...drawn, machine: { ...drawn.machine, gpu } };
          const chosen = scenario.machine[part] as unknown as Record<string, number>;
          const raised = { ...chosen, [rate]: chosen[rate] * factor };
          const faster = { ...scenario, machine: { ...scenario.machine, [part]: raised } };
          expect(boundOf(faster)).toBeLessThanOrEqual(boundOf(scenario) * (1 + 1e-9));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('never falls when the context grows', () => {
    fc.assert(
      fc.property(smallModels, smallMachines, smallWorkloads, (model, machine, workload) => {
        const scenario = scenarioOf({ model, machine, workload });
        const bound = stepBound(scenario, layerGroups(scenario.model), true);
        for (let context = 1; context < 20; context++) {
          expect(bound(context + 1)).toBeGreaterThanOrEqual(bound(context) * (1 - 1e-9));
        }
      }),
    );
  });
});
