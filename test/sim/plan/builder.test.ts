import { describe, expect, it } from 'vitest';
import { NONE, PlanBuilder } from '../../../sim/plan/builder.ts';
import { Group, Kind, Stream } from '../../../sim/plan/plan.ts';
import { WorkBuilder } from '../../../sim/plan/work-builder.ts';
import { PLAN_MODEL } from './plan-model.ts';

const EXTENT = { layers: 1, steps: 1, microBatches: 1 };
const works = () => new WorkBuilder().build();

/** What operation i waits for. */
const waits = (plan: ReturnType<PlanBuilder['build']>, i: number) => [
  ...plan.dependency.subarray(plan.dependencyStart[i], plan.dependencyStart[i + 1]),
];

describe('the plan builder', () => {
  it('keeps each operation with its place and work', () => {
    const builder = new PlanBuilder();
    expect(builder.operation(Stream.h2d, Group.copyKv, 7, 300, 2, 5)).toBe(0);
    expect(builder.operation(Stream.compute, Group.block, 65_000, 70_000, 300, 100_000)).toBe(1);
    const plan = builder.build(works(), PLAN_MODEL, { layers: 65_001, steps: 70_001, microBatches: 301 });
    expect(plan.count).toBe(2);
    expect([...plan.stream]).toEqual([Stream.h2d, Stream.compute]);
    expect([...plan.group]).toEqual([Group.copyKv, Group.block]);
    expect([...plan.layer]).toEqual([7, 65_000]);
    expect([...plan.step]).toEqual([300, 70_000]);
    expect([...plan.microBatch]).toEqual([2, 300]);
    expect([...plan.work]).toEqual([5, 100_000]);
    expect(plan).toMatchObject({ layers: 65_001, steps: 70_001, microBatches: 301 });
  });

  it('keeps dependencies on other streams, each once, and leaves out what the stream orders already', () => {
    const builder = new PlanBuilder();
    const copy = builder.operation(Stream.h2d, Group.copyKv, 0, 0, 0, 0);
    const kernel = builder.operation(Stream.compute, Group.block, 0, 0, 0, 0);
    builder.after(copy);
    builder.after(copy);
    builder.after(NONE);
    const last = builder.operation(Stream.compute, Group.block, 0, 0, 0, 0);
    builder.after(kernel);
    const store = builder.operation(Stream.d2h, Group.store, 0, 0, 0, 0);
    builder.after(copy);
    builder.after(kernel);
    const plan = builder.build(works(), PLAN_MODEL, EXTENT);
    expect([copy, kernel, last, store].map((i) => waits(plan, i))).toEqual([[], [copy], [], [copy, kernel]]);
  });

  it('keeps operands in order, a plain range being one row', () => {
    const builder = new PlanBuilder();
    const cache = builder.buffer('cache', 'pinned', 1000, true);
    const staged = builder.buffer('staged', 'gpu', 500);
    builder.operation(Stream.h2d, Group.copyKv, 0, 0, 0, 0);
    builder.reads(cache, 100, 10, 4, 64);
    builder.writes(staged, 0, 40);
    builder.operation(Stream.compute, Group.block, 0, 0, 0, 0);
    builder.reads(staged, 8, 16);
    const { operands, buffers } = builder.build(works(), PLAN_MODEL, EXTENT);
    expect([...operands.start]).toEqual([0, 2, 3]);
    expect([...operands.buffer]).toEqual([cache, staged, staged]);
    expect([...operands.offsetBytes]).toEqual([100, 0, 8]);
    expect([...operands.rowBytes]).toEqual([10, 40, 16]);
    expect([...operands.rows]).toEqual([4, 1, 1]);
    expect([...operands.strideBytes]).toEqual([64, 40, 16]);
    expect([...operands.write]).toEqual([0, 1, 0]);
    expect(buffers).toEqual([
      { name: 'cache', pool: 'pinned', bytes: 1000, persistent: true },
      { name: 'staged', pool: 'gpu', bytes: 500, persistent: false },
    ]);
  });

  it('grows beyond the number of operations it was told', () => {
    const builder = new PlanBuilder(1);
    const buffer = builder.buffer('b', 'gpu', 10);
    for (let i = 0; i < 1000; i++) {
      builder.operation(i % 2, Group.block, 0, 0, 0, i);
      builder.after(i - 1);
      builder.reads(buffer, i, 1);
    }
    const plan = builder.build(works(), PLAN_MODEL, EXTENT);
    expect(plan.count).toBe(1000);
    expect([...plan.work]).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(waits(plan, 999)).toEqual([998]);
    expect(plan.operands.offsetBytes[999]).toBe(999);
  });

  it('takes byte offsets beyond 32 bits', () => {
    const builder = new PlanBuilder();
    const buffer = builder.buffer('b', 'host', 2 ** 45);
    builder.operation(Stream.h2d, Group.copyKv, 0, 0, 0, 0);
    builder.reads(buffer, 2 ** 44 + 1, 2 ** 40 + 1);
    const { operands } = builder.build(works(), PLAN_MODEL, EXTENT);
    expect([operands.offsetBytes[0], operands.rowBytes[0]]).toEqual([2 ** 44 + 1, 2 ** 40 + 1]);
  });
});

describe('the work builder', () => {
  it('keeps rows as they were added', () => {
    const builder = new WorkBuilder();
    for (let i = 0; i < 100; i++) builder.add(Kind.gemm, 1, i, 2, 3, 4, 2 ** 60, i + 0.5);
    const table = builder.build();
    expect(table.count).toBe(100);
    expect([table.kind[99], table.dtype[99], table.m[99], table.n[99], table.k[99], table.batch[99]]).toEqual([
      Kind.gemm,
      1,
      99,
      2,
      3,
      4,
    ]);
    expect([table.flops[99], table.bytes[99]]).toEqual([2 ** 60, 99.5]);
  });
});
