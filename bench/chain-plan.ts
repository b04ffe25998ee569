import { NONE, PlanBuilder } from '../sim/plan/builder.ts';
import { Group, Kind, type Plan, PRECISIONS, Stream } from '../sim/plan/plan.ts';
import { WorkBuilder } from '../sim/plan/work-builder.ts';

const FP32 = PRECISIONS.indexOf('fp32');
const FP32_BYTES = 4;
const MODEL = { batch: 1, heads: 1, kvHeads: 1, headDim: 2, ropeTheta: 10_000, normEpsilon: 1e-5 };

/** An operation of a chain: a copy to the device, one back, an activation function of what is there. */
export type Link = 'h2d' | 'd2h' | 'compute';

/**
 * Operations that each wait for the one before, on as many bytes each: copies between host and device, and a kernel that turns what was
 * copied into what is copied back.
 */
export function chainPlan(links: readonly Link[], bytes: number, count: number): Plan {
  const works = new WorkBuilder();
  const work = {
    h2d: works.add(Kind.copyH2d, FP32, 1, bytes, 0, 1, 0, bytes),
    d2h: works.add(Kind.copyD2h, FP32, 1, bytes, 0, 1, 0, bytes),
    compute: works.add(Kind.activation, FP32, 1, (2 * bytes) / FP32_BYTES, 1, 1, 0, 2 * bytes),
  };
  const builder = new PlanBuilder(count);
  const host = builder.buffer('host', 'pinned', bytes, true);
  const input = builder.buffer('input', 'gpu', bytes, true);
  const output = builder.buffer('output', 'gpu', bytes, true);
  const back = builder.buffer('back', 'pinned', bytes, true);
  const between = { h2d: [host, input], d2h: [output, back], compute: [input, output] };
  let last = NONE;
  for (let i = 0; i < count; i++) {
    const link = links[i % links.length];
    const next = builder.operation(Stream[link], Group.block, 0, 0, 0, work[link]);
    builder.after(last);
    const [from, to] = between[link];
    builder.reads(from, 0, bytes);
    builder.writes(to, 0, bytes);
    last = next;
  }
  return builder.build(works.build(), { ...MODEL, activation: 'relu' }, { layers: 1, steps: 1, microBatches: 1 });
}

/** The same operations, each after the one before it: none runs beside another. */
export function inSeries(plan: Plan): Plan {
  const dependencyStart = new Uint32Array(plan.count + 1);
  const dependency: number[] = [];
  for (let i = 0; i < plan.count; i++) {
    // The order within a stream needs no words.
    if (i > 0 && plan.stream[i] !== plan.stream[i - 1]) dependency.push(i - 1);
    dependencyStart[i + 1] = dependency.length;
  }
  return { ...plan, dependencyStart, dependency: Uint32Array.from(dependency) };
}
