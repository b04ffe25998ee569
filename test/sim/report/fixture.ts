import type { Timeline } from '../../../sim/engine/timeline.ts';
import { Group, Kind, type Plan, Stream } from '../../../sim/plan/plan.ts';
import { PLAN_MODEL } from '../plan/plan-model.ts';

interface Task {
  stream: number;
  kind: number;
  group: number;
  layer: number;
  step: number;
  seconds: number;
  after: number[];
}

/**
 * A decode pipeline with made-up durations near those of OPT-6.7B on PCIe 4: per layer two copies to the device, the recomputation,
 * a block of six kernels and a store; copies run at most two layers ahead.
 */
export function pipeline(options: { layers?: number; steps?: number } = {}): { plan: Plan; timeline: Timeline } {
  const { layers = 32, steps = 2 } = options;
  const tasks: Task[] = [];
  const add = (task: Task) => tasks.push(task) - 1;
  const blockEnd: number[] = [];
  let stepEnd: number[] = [];
  for (let step = 0; step < steps; step++) {
    const on = { layer: 0, step };
    add({ ...on, stream: Stream.compute, kind: Kind.embed, group: Group.embed, seconds: 20e-6, after: stepEnd });
    for (let layer = 0; layer < layers; layer++) {
      const at = { layer, step };
      const free = blockEnd.slice(-2, -1);
      const copy = { ...at, stream: Stream.h2d, kind: Kind.copyH2d };
      const activation = add({ ...copy, group: Group.copyActivation, seconds: 4.1e-3, after: free });
      const kv = add({ ...copy, group: Group.copyKv, seconds: 6.8e-3, after: free });
      const gpu = { ...at, stream: Stream.compute };
      const projections = [1.9e-3, 1.9e-3].map((seconds) =>
        add({ ...gpu, kind: Kind.gemm, group: Group.recompute, seconds, after: [activation] }),
      );
      const block = { ...gpu, group: Group.block };
      add({ ...block, kind: Kind.norm, seconds: 6e-6, after: [] });
      const qkv = add({ ...block, kind: Kind.gemm, seconds: 70e-6, after: [] });
      add({ ...block, kind: Kind.attend, seconds: 380e-6, after: [kv, projections[1], qkv] });
      for (const seconds of [30e-6, 110e-6, 110e-6]) add({ ...block, kind: Kind.gemm, seconds, after: [] });
      blockEnd.push(tasks.length - 1);
      const store = { ...at, stream: Stream.d2h, kind: Kind.copyD2h, group: Group.store, seconds: 45e-6 };
      add({ ...store, after: [qkv] });
    }
    const last = { layer: layers - 1, step, stream: Stream.compute };
    add({ ...last, kind: Kind.gemm, group: Group.head, seconds: 300e-6, after: [] });
    stepEnd = [add({ ...last, kind: Kind.stepEnd, group: Group.stepEnd, seconds: 0, after: [] })];
  }
  return { plan: planOf(tasks, layers, steps), timeline: timelineOf(tasks) };
}

function planOf(tasks: Task[], layers: number, steps: number): Plan {
  const count = tasks.length;
  const dependencyStart = new Uint32Array(count + 1);
  tasks.forEach((task, i) => {
    dependencyStart[i + 1] = dependencyStart[i] + task.after.length;
  });
  return {
    count,
    stream: Uint8Array.from(tasks, (task) => task.stream),
    group: Uint8Array.from(tasks, (task) => task.group),
    layer: Uint16Array.from(tasks, (task) => task.layer),
    step: Uint32Array.from(tasks, (task) => task.step),
    microBatch: new Uint16Array(count),
    token: new Uint32Array(count),
    work: Uint32Array.from(tasks, (_, i) => i),
    dependencyStart,
    dependency: Uint32Array.from(tasks.flatMap((task) => task.after)),
    works: {
      count,
      kind: Uint8Array.from(tasks, (task) => task.kind),
      dtype: new Uint8Array(count).fill(1),
      m: Float64Array.from(tasks, (_, i) => i + 1),
      n: new Float64Array(count).fill(4096),
      k: new Float64Array(count).fill(4096),
      batch: new Float64Array(count).fill(1),
      flops: Float64Array.from(tasks, (task) => (task.kind <= Kind.copyD2h ? 0 : task.seconds * 1e14)),
      bytes: Float64Array.from(tasks, (task) => task.seconds * 25e9),
    },
    operands: {
      start: new Uint32Array(count + 1),
      buffer: new Uint32Array(0),
      role: new Uint8Array(0),
      offsetBytes: new Float64Array(0),
      rowBytes: new Float64Array(0),
      rows: new Uint32Array(0),
      strideBytes: new Float64Array(0),
      write: new Uint8Array(0),
    },
    buffers: [],
    model: PLAN_MODEL,
    layers,
    steps,
    microBatches: 1,
  };
}

function timelineOf(tasks: Task[]): Timeline {
  const free = [0, 0, 0, 0];
  const startSeconds = new Float64Array(tasks.length);
  const endSeconds = new Float64Array(tasks.length);
  tasks.forEach((task, i) => {
    startSeconds[i] = Math.max(free[task.stream], ...task.after.map((j) => endSeconds[j]));
    endSeconds[i] = startSeconds[i] + task.seconds;
    free[task.stream] = endSeconds[i];
  });
  return { startSeconds, endSeconds, makespanSeconds: Math.max(...endSeconds) };
}
