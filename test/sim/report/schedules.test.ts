import { expect, test } from 'vitest';
import type { PlanResult } from '../../../sim/planner/result.ts';
import { schedulesSpec } from '../../../sim/report/schedules.ts';
import { planResult } from './result.ts';
import { at, complaints, rowsAt, textsOf } from './vega.ts';

const result = planResult();

test('schedules are drawn without complaint, best first, with units on every axis', async () => {
  const spec = schedulesSpec(result);
  expect(complaints(spec)).toEqual([]);
  const texts = await textsOf(spec);
  for (const text of [
    'Mean time of a step (ms); black marks: the bound',
    'Link to GPU busy (%)',
    'GPU busy (%)',
    'GPU idle (%)',
    'Host DRAM busy (%)',
    '351 ms',
  ]) {
    expect(texts).toContain(text);
  }
  const names = result.candidates.map(({ schedule }) => schedule as string);
  expect(texts.filter((text) => names.includes(text))).toEqual(names);
});

test('the title says which schedule is fastest and by how much', () => {
  expect(at(schedulesSpec(result), 'title', 'text')).toEqual([
    'kvpr-pipelined is fastest: 351 ms a step, 2.0 times as fast as transfer',
  ]);
  expect(at(schedulesSpec(result, { title: 'Mine' }), 'title', 'text')).toEqual(['Mine']);
  const none: PlanResult = { ...result, candidates: result.candidates.slice(-1), recommendation: null };
  expect(at(schedulesSpec(none), 'title', 'text')).toEqual(['No schedule fits this machine']);
});

test('a schedule that does not fit has no bar and says what it lacks', async () => {
  const spec = schedulesSpec(result);
  expect(
    (await textsOf(spec)).filter((text) => text.startsWith('does not fit: GPU memory lacks 7.4 GiB')),
  ).toHaveLength(1);
  for (let column = 1; column <= 4; column++) {
    expect(rowsAt(spec, 'hconcat', column).map((row) => row.schedule)).not.toContain('resident');
  }
});

test('shares are percentages of the time, and idle is what the GPU is not busy', () => {
  const spec = schedulesSpec(result);
  const shares = [1, 2, 3, 4].map((column) => rowsAt(spec, 'hconcat', column)[0].share as number);
  for (const [i, share] of [99.5, 42, 58, 17].entries()) expect(shares[i]).toBeCloseTo(share, 9);
});

test('answers without any feasible schedule and with hostile names are drawn', async () => {
  const hostile = `<script>alert(1)</script> ${'very long '.repeat(100)}`;
  const none: PlanResult = {
    ...result,
    scenario: hostile,
    model: { ...result.model, name: hostile },
    candidates: result.candidates.slice(-1),
    recommendation: null,
  };
  const spec = schedulesSpec(none);
  expect(complaints(spec)).toEqual([]);
  const lines = at(spec, 'title', 'subtitle') as string[];
  expect(lines.length).toBeLessThanOrEqual(2);
  for (const line of lines) expect(line.length).toBeLessThan(160);
  expect((await textsOf(spec)).join(' ')).not.toContain('<');
});
