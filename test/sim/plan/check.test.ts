import { describe, expect, it } from 'vitest';
import { PlanBuilder } from '../../../sim/plan/builder.ts';
import { planFaults } from '../../../sim/plan/check.ts';
import { Group, Kind, type Plan, Stream } from '../../../sim/plan/plan.ts';
import { WorkBuilder } from '../../../sim/plan/work-builder.ts';
import { PLAN_MODEL } from './plan-model.ts';

const ROW = 0;

/** A plan of what `describe` builds, with one row of work and a buffer of 100 bytes. */
function planOf(describe: (builder: PlanBuilder, buffer: number) => void): Plan {
  const works = new WorkBuilder();
  works.add(Kind.copyH2d, 1, 1, 1, 0, 1, 0, 1);
  const builder = new PlanBuilder();
  describe(builder, builder.buffer('staged', 'gpu', 100));
  return builder.build(works.build(), PLAN_MODEL, { layers: 1, steps: 1, microBatches: 1 });
}

const copy = (builder: PlanBuilder) => builder.operation(Stream.h2d, Group.copyKv, 0, 0, 0, ROW);
const kernel = (builder: PlanBuilder) => builder.operation(Stream.compute, Group.block, 0, 0, 0, ROW);
const store = (builder: PlanBuilder) => builder.operation(Stream.d2h, Group.store, 0, 0, 0, ROW);

/** A copy fills the buffer, a kernel reads it behind the copy, and the next copy waits for the kernel. */
const good = () =>
  planOf((builder, buffer) => {
    const first = copy(builder);
    builder.writes(buffer, 0, 100);
    const reader = kernel(builder);
    builder.after(first);
    builder.reads(buffer, 0, 100);
    copy(builder);
    builder.after(reader);
    builder.writes(buffer, 0, 100);
  });

const IN_NO_ORDER = (operation: number, other: number) => ({
  operation,
  problem: `and operation ${other} use the same bytes of staged in no order`,
});

describe('a plan', () => {
  it('without faults has none', () => {
    expect(planFaults(good())).toEqual([]);
  });

  it('may not wait for a later operation, nor for itself', () => {
    const plan = good();
    plan.dependency[0] = 2;
    expect(planFaults(plan)).toEqual([{ operation: 1, problem: 'waits for the later operation 2' }]);
    plan.dependency[0] = 1;
    expect(planFaults(plan)).toEqual([{ operation: 1, problem: 'waits for the later operation 1' }]);
  });

  it('may not use an unknown stream or work', () => {
    const plan = good();
    plan.stream[2] = 4;
    plan.work[0] = 1;
    expect(planFaults(plan)).toEqual([
      { operation: 0, problem: 'does the unknown work 1' },
      { operation: 2, problem: 'is in the unknown stream 4' },
    ]);
  });

  it('may not use an unknown buffer', () => {
    const plan = good();
    plan.operands.buffer[1] = 9;
    expect(planFaults(plan)).toEqual([{ operation: 1, problem: 'uses the unknown buffer 9' }]);
  });

  it('may not use bytes outside a buffer, with the last row or before the first', () => {
    const over = planOf((builder, buffer) => {
      copy(builder);
      builder.writes(buffer, 10, 20, 3, 36);
    });
    expect(planFaults(over)).toEqual([{ operation: 0, problem: 'uses bytes 10 to 102 of staged, which has 100' }]);
    const under = planOf((builder, buffer) => {
      copy(builder);
      builder.writes(buffer, -1, 20);
    });
    expect(planFaults(under)).toEqual([{ operation: 0, problem: 'uses bytes -1 to 19 of staged, which has 100' }]);
    const exact = planOf((builder, buffer) => {
      copy(builder);
      builder.writes(buffer, 10, 20, 3, 35);
    });
    expect(planFaults(exact)).toEqual([]);
  });

  it('may not read what another stream writes without waiting for it', () => {
    const plan = planOf((builder, buffer) => {
      copy(builder);
      builder.writes(buffer, 0, 100);
      kernel(builder);
      builder.reads(buffer, 99, 1);
    });
    expect(planFaults(plan)).toEqual([IN_NO_ORDER(1, 0)]);
  });

  it('may not write what another stream still reads, or writes', () => {
    for (const access of ['reads', 'writes'] as const) {
      const plan = planOf((builder, buffer) => {
        kernel(builder);
        builder[access](buffer, 0, 50);
        copy(builder);
        builder.writes(buffer, 49, 10);
      });
      expect(planFaults(plan), access).toEqual([IN_NO_ORDER(1, 0)]);
    }
  });

  it('may read the same bytes twice, and different bytes at once', () => {
    const plan = planOf((builder, buffer) => {
      kernel(builder);
      builder.reads(buffer, 0, 50);
      store(builder);
      builder.reads(buffer, 0, 50);
      copy(builder);
      builder.writes(buffer, 50, 50);
    });
    expect(planFaults(plan)).toEqual([]);
  });

  it('may weave rows into each other as long as none overlap', () => {
    const woven = (offset: number) =>
      planOf((builder, buffer) => {
        copy(builder);
        builder.writes(buffer, 0, 10, 5, 20);
        kernel(builder);
        builder.reads(buffer, offset, 10, 4, 20);
      });
    expect(planFaults(woven(10))).toEqual([]);
    expect(planFaults(woven(11))).toEqual([IN_NO_ORDER(1, 0)]);
  });

  it('may read and write the same bytes in one operation', () => {
    const plan = planOf((builder, buffer) => {
      kernel(builder);
      builder.reads(buffer, 0, 100);
      builder.writes(buffer, 0, 100);
    });
    expect(planFaults(plan)).toEqual([]);
  });

  it('is ordered through other streams: who waits for a waiter waits for what that one waited for', () => {
    const chain = (linked: boolean) =>
      planOf((builder, buffer) => {
        const first = copy(builder);
        builder.writes(buffer, 0, 100);
        kernel(builder);
        if (linked) builder.after(first);
        const last = kernel(builder);
        store(builder);
        builder.after(last);
        builder.reads(buffer, 0, 100);
      });
    expect(planFaults(chain(true))).toEqual([]);
    expect(planFaults(chain(false))).toEqual([IN_NO_ORDER(3, 0)]);
  });
});
