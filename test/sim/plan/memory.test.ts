import { describe, expect, it } from 'vitest';
import type { Timeline } from '../../../sim/engine/timeline.ts';
import { PlanBuilder } from '../../../sim/plan/builder.ts';
import { memoryOverTime, peakBytes } from '../../../sim/plan/memory.ts';
import { Group, type Plan, type Pool, Stream } from '../../../sim/plan/plan.ts';
import { WorkBuilder } from '../../../sim/plan/work-builder.ts';
import { PLAN_MODEL } from './plan-model.ts';

interface Use {
  pool: Pool;
  bytes: number;
  persistent?: boolean;
  /** Start and end of each operation that uses the buffer. */
  times: [number, number][];
}

function planOf(uses: readonly Use[]): { plan: Plan; timeline: Timeline } {
  const builder = new PlanBuilder();
  const start: number[] = [];
  const end: number[] = [];
  uses.forEach(({ pool, bytes, persistent, times }, i) => {
    const buffer = builder.buffer(`buffer-${i}`, pool, bytes, persistent);
    for (const [from, to] of times) {
      builder.operation(Stream.compute, Group.block, 0, 0, 0, 0);
      builder.reads(buffer, 0, bytes);
      start.push(from);
      end.push(to);
    }
  });
  const plan = builder.build(new WorkBuilder().build(), PLAN_MODEL, { layers: 1, steps: 1, microBatches: 1 });
  const timeline = {
    startSeconds: Float64Array.from(start),
    endSeconds: Float64Array.from(end),
    makespanSeconds: Math.max(0, ...end),
  };
  return { plan, timeline };
}

function memoryOf(...uses: Use[]) {
  const { plan, timeline } = planOf(uses);
  return memoryOverTime(plan, timeline);
}

describe('memory over time', () => {
  it('holds a buffer from the start of its first operation to the end of its last', () => {
    const { gpu } = memoryOf({
      pool: 'gpu',
      bytes: 10,
      times: [
        [2, 3],
        [7, 9],
        [4, 5],
      ],
    });
    expect(gpu).toEqual({ seconds: [0, 2, 9], bytes: [0, 10, 0] });
  });

  it('holds a persistent buffer all along, whether it is used or not', () => {
    const { gpu } = memoryOf(
      { pool: 'gpu', bytes: 100, persistent: true, times: [] },
      { pool: 'gpu', bytes: 10, persistent: true, times: [[4, 5]] },
      { pool: 'gpu', bytes: 1, times: [[1, 2]] },
    );
    expect(gpu).toEqual({ seconds: [0, 1, 2], bytes: [110, 111, 110] });
  });

  it('never holds a buffer that nothing uses', () => {
    expect(memoryOf({ pool: 'gpu', bytes: 10, times: [] }).gpu).toEqual({ seconds: [0], bytes: [0] });
  });

  it('adds up buffers whose lives overlap', () => {
    const { gpu } = memoryOf({ pool: 'gpu', bytes: 10, times: [[0, 4]] }, { pool: 'gpu', bytes: 5, times: [[3, 8]] });
    expect(gpu).toEqual({ seconds: [0, 0, 3, 4, 8], bytes: [0, 10, 15, 5, 0] });
  });

  it('counts both where one begins at the moment another ends', () => {
    const memory = memoryOf({ pool: 'gpu', bytes: 10, times: [[0, 4]] }, { pool: 'gpu', bytes: 5, times: [[4, 8]] });
    expect(peakBytes(memory).gpu).toBe(15);
    expect(memory.gpu.bytes.at(-1)).toBe(0);
  });

  it('tells the pools apart, host memory being pinned or not', () => {
    const memory = memoryOf(
      { pool: 'gpu', bytes: 1, times: [[0, 9]] },
      { pool: 'pinned', bytes: 20, times: [[0, 9]] },
      { pool: 'host', bytes: 300, times: [[1, 2]] },
    );
    expect(memory.host).toEqual({ seconds: [0, 0, 1, 2, 9], bytes: [0, 20, 320, 20, 0] });
    expect(peakBytes(memory)).toEqual({ gpu: 1, host: 320 });
  });
});
