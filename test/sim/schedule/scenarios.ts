import fc from 'fast-check';
import { splitsAt } from '../../../sim/planner/splits.ts';
import { scenarioFromDocument } from '../../../sim/scenario/parse.ts';
import type { Scenario } from '../../../sim/scenario/scenario.ts';
import { layerGroups } from '../../../sim/schedule/layer-groups.ts';
import type { Schedule } from '../../../sim/schedule/schedule.ts';
import type { Steps } from '../../../sim/schedule/token-ranges.ts';

/** A machine without any effect but rates: what is written is what is got. */
export const IDEAL_MACHINE = {
  name: 'ideal',
  gpu: { memory: '4000 GiB', matmul: '100 TFLOP/s', memoryBandwidth: 'inf' },
  host: { memory: '4000 GiB', memoryBandwidth: 'inf', matmul: '2 TFLOP/s' },
  link: { h2d: '25 GB/s', d2h: '25 GB/s' },
};

/** A machine on which everything costs something. */
export const REAL_MACHINE = {
  gpu: { memory: '4 GiB', matmul: '20 TFLOP/s', memoryBandwidth: '400 GB/s', launch: '4 us', multiprocessors: 20 },
  host: { memory: '64 GiB', memoryBandwidth: '40 GB/s', matmul: '1 TFLOP/s' },
  link: { h2d: '12 GB/s', d2h: '11 GB/s', latency: '8 us', duplex: 0.82 },
  efficiency: { matmul: 0.7, gpuMemory: 0.9, hostMemory: 0.8 },
};

export const SMALL_MODEL = {
  layers: 3,
  hidden: 64,
  heads: 4,
  kvHeads: 4,
  headDim: 16,
  ffn: 256,
  gated: false,
  vocab: 100,
  rotary: true,
};

export function scenarioOf(document: object): Scenario {
  return scenarioFromDocument(document);
}

/** Small models of every kind: multi-head, grouped-query, latent, windowed, mixture of experts, with and without rotary embedding. */
export const smallModels = fc
  .record({
    layers: fc.integer({ min: 1, max: 5 }),
    headDim: fc.constantFrom(8, 16),
    kvHeads: fc.constantFrom(1, 2, 4),
    groups: fc.constantFrom(1, 2),
    gated: fc.boolean(),
    rotary: fc.boolean(),
    qkNorm: fc.boolean(),
    kind: fc.constantFrom('plain', 'window', 'all-windowed', 'moe', 'mla'),
  })
  .map(({ groups, kind, ...shape }) => ({
    ...shape,
    heads: shape.kvHeads * groups,
    hidden: shape.kvHeads * groups * shape.headDim,
    ffn: 4 * shape.kvHeads * groups * shape.headDim,
    vocab: 50,
    ...(kind === 'window' && { window: { size: 7, every: 2 } }),
    ...(kind === 'all-windowed' && { window: { size: 9 } }),
    ...(kind === 'moe' && { moe: { experts: 4, active: 2, expertFfn: 16, denseLayers: shape.layers > 1 ? 1 : 0 } }),
    ...(kind === 'mla' && { mla: { kvRank: 12, ropeDim: 4 }, qkNorm: false }),
  }));

export const smallMachines = fc
  .record({
    matmul: fc.double({ min: 0.0005, max: 1, noNaN: true }),
    h2d: fc.double({ min: 0.01, max: 5, noNaN: true }),
    d2h: fc.double({ min: 0.01, max: 5, noNaN: true }),
    memory: fc.double({ min: 1, max: 50, noNaN: true }),
    hostMemory: fc.double({ min: 0.5, max: 20, noNaN: true }),
    launch: fc.constantFrom(0, 0.1, 2),
    latency: fc.constantFrom(0, 0.5, 8),
    duplex: fc.constantFrom(1, 0.8),
    efficiency: fc.constantFrom(1, 0.7),
    multiprocessors: fc.constantFrom(0, 4, 20),
  })
  .map((m) => ({
    gpu: {
      memory: '10 GiB',
      matmul: `${m.matmul} TFLOP/s`,
      memoryBandwidth: `${m.memory} GB/s`,
      launch: `${m.launch} us`,
      multiprocessors: m.multiprocessors,
    },
    host: { memory: '10 GiB', memoryBandwidth: `${m.hostMemory} GB/s`, matmul: '0.1 TFLOP/s' },
    link: { h2d: `${m.h2d} GB/s`, d2h: `${m.d2h} GB/s`, latency: `${m.latency} us`, duplex: m.duplex },
    efficiency: { matmul: m.efficiency, gpuMemory: m.efficiency, hostMemory: m.efficiency },
  }));

export const smallWorkloads = fc.record({
  batch: fc.integer({ min: 1, max: 4 }),
  promptTokens: fc.integer({ min: 1, max: 24 }),
  generatedTokens: fc.integer({ min: 1, max: 4 }),
  microBatches: fc.integer({ min: 1, max: 3 }),
});

/** The steps of a whole decode with the splits the planner chooses. */
export function stepsOf(scenario: Scenario, schedule: Schedule): Steps {
  const { promptTokens, generatedTokens } = scenario.workload;
  const contexts = Array.from({ length: generatedTokens }, (_, step) => promptTokens + step);
  return { contexts, splits: splitsAt(scenario, schedule, layerGroups(scenario.model), contexts) };
}
