import type { CostTable, Tasks } from '../sim/engine/tasks.ts';
import { Stream } from '../sim/plan/plan.ts';

/** What the operations of one layer take, in the order in which a layer's operations come in the plan. */
export interface LayerSeconds {
  copyActivation: number;
  copyKv: number;
  recompute: number;
  block: number;
  store: number;
}

/** An OPT-30B layer on an A100 behind PCIe 4 (250 TFLOP/s, 1.4 TB/s, 25 GB/s), batch 32, context 1024, two fifths recomputed. */
export const OPT_30B_LAYER: LayerSeconds = {
  copyActivation: 7.516e-3,
  copyKv: 22.55e-3,
  recompute: 10.78e-3,
  block: 1.554e-3,
  store: 63.05e-6,
};

export const OPERATIONS_PER_LAYER = 5;
const RESOURCES = 4;

/**
 * The KVPR pipeline as the engine's tables. A layer's two copies fill one of two buffers, so they wait for the block two layers before;
 * the recomputation needs the activations; the block needs the recomputation and the copied KV; the store needs the block. Every step has
 * rows of its own in the cost table, as in a real decode, where the context grows.
 *
 * Resources are the link's two directions, the GPU and the host's DRAM; with `contention` the copies draw on DRAM (more than it has when
 * both directions run) and slow each other on the link, otherwise each resource serves one stream.
 */
export function kvprPipeline(
  layers: number,
  steps: number,
  seconds: LayerSeconds,
  contention = false,
): { tasks: Tasks; costs: CostTable } {
  const rounds = layers * steps;
  const count = rounds * OPERATIONS_PER_LAYER;
  const tasks: Tasks = {
    count,
    stream: new Uint8Array(count),
    work: new Uint32Array(count),
    dependencyStart: new Uint32Array(count + 1),
    dependency: new Uint32Array(Math.max(0, rounds * 6 - 2)),
  };
  let task = 0;
  let dependencies = 0;
  const add = (stream: number, work: number, a = -1, b = -1) => {
    tasks.stream[task] = stream;
    tasks.work[task] = work;
    if (a >= 0) tasks.dependency[dependencies++] = a;
    if (b >= 0) tasks.dependency[dependencies++] = b;
    tasks.dependencyStart[++task] = dependencies;
    return task - 1;
  };
  let blockBefore = -1;
  let blockTwoBefore = -1;
  for (let step = 0; step < steps; step++) {
    const row = step * OPERATIONS_PER_LAYER;
    for (let layer = 0; layer < layers; layer++) {
      const copyActivation = add(Stream.h2d, row, blockTwoBefore);
      const copyKv = add(Stream.h2d, row + 1, blockTwoBefore);
      const recompute = add(Stream.compute, row + 2, copyActivation);
      const block = add(Stream.compute, row + 3, copyKv, recompute);
      add(Stream.d2h, row + 4, block);
      blockTwoBefore = blockBefore;
      blockBefore = block;
    }
  }

  const dram = contention ? 0.6 : 0;
  const copyUp = [1, 0, 0, dram];
  const kernel = [0, 0, 1, 0];
  const shares = [copyUp, copyUp, kernel, kernel, [0, 1, 0, dram]].flat();
  const layer = [seconds.copyActivation, seconds.copyKv, seconds.recompute, seconds.block, seconds.store];
  const costs: CostTable = {
    resources: RESOURCES,
    latencySeconds: new Float64Array(steps * OPERATIONS_PER_LAYER),
    seconds: repeated(layer, steps),
    share: repeated(shares, steps),
    capacity: new Float64Array(RESOURCES).fill(1),
    couplings: contention ? [{ a: 0, b: 1, factorA: 0.82, factorB: 0.82 }] : [],
  };
  return { tasks, costs };
}

function repeated(values: readonly number[], times: number): Float64Array {
  const all = new Float64Array(values.length * times);
  for (let i = 0; i < times; i++) all.set(values, i * values.length);
  return all;
}
