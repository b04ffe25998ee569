import { expect, test } from 'vitest';
import { chromeTrace, compareTrace } from '../../../sim/report/trace.ts';
import { pipeline } from './fixture.ts';

interface Event {
  ph: string;
  name: string;
  pid: number;
  tid: number;
  ts: number;
  dur: number;
  id: number;
  bp?: string;
  args: Record<string, unknown>;
}

const { plan, timeline } = pipeline({ layers: 6, steps: 3 });
const parse = (chunks: Iterable<string>): Event[] => JSON.parse([...chunks].join('')).traceEvents;
const events = parse(chromeTrace(plan, timeline, { name: 'predicted' }));
const complete = events.filter((event) => event.ph === 'X');

test('every operation is one complete event with its place, its work and its time in microseconds', () => {
  expect(complete).toHaveLength(plan.count);
  const i = plan.count - 4;
  expect(complete[i]).toMatchObject({
    tid: plan.stream[i],
    args: {
      operation: i,
      layer: plan.layer[i],
      step: plan.step[i],
      microBatch: 0,
      flops: plan.works.flops[plan.work[i]],
      bytes: plan.works.bytes[plan.work[i]],
      m: plan.works.m[plan.work[i]],
    },
  });
  expect(complete[i].ts).toBeCloseTo(timeline.startSeconds[i] * 1e6, 0);
  expect(complete[i].dur).toBeCloseTo((timeline.endSeconds[i] - timeline.startSeconds[i]) * 1e6, 0);
  expect(complete.map((event) => event.name)).toContain('copy-h2d copy-kv L5');
});

test('tracks are named after the streams that the plan uses, in their order', () => {
  const named = (kind: string) => events.filter((event) => event.ph === 'M' && event.name === kind);
  expect(named('process_name').map((event) => event.args)).toEqual([{ name: 'predicted' }]);
  expect(named('thread_name').map((event) => [event.tid, event.args.name])).toEqual([
    [0, 'host to device copies'],
    [1, 'device to host copies'],
    [2, 'GPU compute'],
  ]);
  expect(named('thread_sort_index').map((event) => event.args.sort_index)).toEqual([0, 1, 2]);
});

test('events of one track do not overlap, added up and truncated to nanoseconds as readers do', () => {
  for (const track of new Set(complete.map((event) => event.tid))) {
    let end = 0;
    for (const event of complete.filter(({ tid }) => tid === track)) {
      const start = Math.trunc(event.ts * 1000);
      expect(start).toBeGreaterThanOrEqual(end);
      end = start + Math.trunc(event.dur * 1000);
    }
  }
});

test('every dependency between streams is an arrow from an event to a later one on another track', () => {
  const starts = events.filter((event) => event.ph === 's');
  const ends = new Map(events.filter((event) => event.ph === 'f').map((event) => [event.id, event]));
  let crossing = 0;
  for (let i = 0; i < plan.count; i++) {
    for (let d = plan.dependencyStart[i]; d < plan.dependencyStart[i + 1]; d++) {
      if (plan.stream[plan.dependency[d]] !== plan.stream[i]) crossing++;
    }
  }
  expect(crossing).toBeGreaterThan(30);
  expect(starts).toHaveLength(crossing);
  expect(ends.size).toBe(crossing);
  const runsAt = (tid: number, ts: number) => complete.some((event) => event.tid === tid && event.ts === ts);
  for (const start of starts) {
    const end = ends.get(start.id)!;
    expect(end.bp).toBe('e');
    expect(end.tid).not.toBe(start.tid);
    expect(end.ts).toBeGreaterThan(start.ts);
    expect(runsAt(start.tid, start.ts) && runsAt(end.tid, end.ts)).toBe(true);
  }
});

test('a range of steps holds these steps only, and arrows whose two ends are in it', () => {
  const middle = parse(chromeTrace(plan, timeline, { name: 'middle', steps: { from: 1, count: 1 } }));
  const operations = middle.filter((event) => event.ph === 'X');
  expect(new Set(operations.map((event) => event.args.step))).toEqual(new Set([1]));
  expect(operations).toHaveLength(plan.count / 3);
  const ids = (phase: string) => middle.filter((event) => event.ph === phase).map((event) => event.id);
  expect(ids('s').length).toBeGreaterThan(0);
  expect(ids('s')).toEqual(ids('f'));
});

test('several timelines are processes of one trace with arrows of their own', () => {
  const both = parse(
    compareTrace([
      { name: 'predicted', plan, timeline },
      { name: 'measured </script>', plan, timeline },
    ]),
  );
  const names = both.filter((event) => event.name === 'process_name').map((event) => event.args.name);
  expect(names).toEqual(['predicted', 'measured </script>']);
  const ids = both.filter((event) => event.ph === 's').map((event) => event.id);
  expect(new Set(ids).size).toBe(ids.length);
});

test('a large plan comes in many pieces, the same ones every time', () => {
  const large = pipeline({ layers: 32, steps: 8 });
  const pieces = () => [...chromeTrace(large.plan, large.timeline, { name: 'large' })];
  expect(pieces().length).toBeGreaterThan(5);
  expect(Math.max(...pieces().map((piece) => piece.length))).toBeLessThan(100_000);
  expect(pieces()).toEqual(pieces());
});

test("times that are not finite and another plan's timeline are refused", () => {
  const broken = { ...timeline, endSeconds: timeline.endSeconds.map((end, i) => (i === 7 ? Number.NaN : end)) };
  expect(() => [...chromeTrace(plan, broken, { name: '' })]).toThrow(/operation 7/);
  const other = pipeline({ layers: 2, steps: 1 }).timeline;
  expect(() => [...chromeTrace(plan, other, { name: '' })]).toThrow(RangeError);
});
