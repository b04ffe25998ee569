import { PlanBuilder } from '../../../sim/plan/builder.ts';
import { Group, Kind, type Plan, PRECISIONS, Stream } from '../../../sim/plan/plan.ts';
import { WorkBuilder } from '../../../sim/plan/work-builder.ts';

export const HOST = 0;
export const GPU = 1;
export const BACK = 2;

/** Bytes go from host memory to the GPU and back, `times` over, between buffers of their own. */
export function roundTrip(bytes: number, times = 1): Plan {
  const works = new WorkBuilder();
  const dtype = PRECISIONS.indexOf('fp32');
  const down = works.add(Kind.copyH2d, dtype, 1, bytes, 0, 1, 0, bytes);
  const up = works.add(Kind.copyD2h, dtype, 1, bytes, 0, 1, 0, bytes);
  const builder = new PlanBuilder();
  builder.buffer('host', 'pinned', bytes, true);
  builder.buffer('gpu', 'gpu', bytes);
  builder.buffer('back', 'host', bytes, true);
  let last = -1;
  for (let i = 0; i < times; i++) {
    const copy = builder.operation(Stream.h2d, Group.copyKv, 0, 0, 0, down);
    builder.after(last);
    builder.reads(HOST, 0, bytes);
    builder.writes(GPU, 0, bytes);
    last = builder.operation(Stream.d2h, Group.store, 0, 0, 0, up);
    builder.after(copy);
    builder.reads(GPU, 0, bytes);
    builder.writes(BACK, 0, bytes);
  }
  const model = { batch: 1, heads: 1, kvHeads: 1, headDim: 2, ropeTheta: 10_000, normEpsilon: 1e-5 };
  return builder.build(
    works.build(),
    { ...model, activation: 'relu' as const },
    { layers: 1, steps: 1, microBatches: 1 },
  );
}

/** A run that takes half a minute unless it is ended: 3000 bytes at 100 bytes per second. */
export const SLOW = { plan: () => roundTrip(3000), options: { backend: 'cpu', linkBytesPerSecond: 100 } as const };
