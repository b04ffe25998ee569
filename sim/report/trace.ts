import type { Timeline } from '../engine/timeline.ts';
import { GROUPS, KINDS, type Plan, PRECISIONS, STREAMS } from '../plan/plan.ts';

/** A plan with a timeline of it: one process of a trace. */
export interface TraceProcess {
  name: string;
  plan: Plan;
  timeline: Timeline;
}

export interface TraceOptions {
  /** Steps to write; all of them unless given. */
  steps?: { from: number; count: number };
}

const TRACKS: Record<(typeof STREAMS)[number], string> = {
  h2d: 'host to device copies',
  d2h: 'device to host copies',
  compute: 'GPU compute',
  host: 'host attention',
};

/** Characters after which a chunk is handed over. */
const CHUNK = 1 << 16;

/**
 * A timeline as Chrome Trace Event JSON, which Perfetto and chrome://tracing open: a track per stream, an event per operation with its
 * work as arguments, and an arrow per dependency between streams. Yields the text in pieces, so that a large plan is never one string.
 * Throws a RangeError where the timeline is another plan's or holds a time that is not finite.
 */
export function chromeTrace(
  plan: Plan,
  timeline: Timeline,
  options: TraceOptions & { name: string },
): Generator<string> {
  return compareTrace([{ name: options.name, plan, timeline }], options);
}

/** Several timelines in one trace, each a process of its own: a prediction beside a measurement. As `chromeTrace` otherwise. */
export function* compareTrace(processes: readonly TraceProcess[], options: TraceOptions = {}): Generator<string> {
  let chunk = '{"displayTimeUnit":"ns","traceEvents":[';
  let separator = '\n';
  let firstFlow = 0;
  for (const [process, { name, plan, timeline }] of processes.entries()) {
    for (const event of processEvents(process, name, plan, timeline, options, firstFlow)) {
      chunk += separator + event;
      separator = ',\n';
      if (chunk.length >= CHUNK) {
        yield chunk;
        chunk = '';
      }
    }
    firstFlow += plan.dependency.length;
  }
  yield `${chunk}\n]}\n`;
}

function* processEvents(
  process: number,
  name: string,
  plan: Plan,
  timeline: Timeline,
  { steps }: TraceOptions,
  firstFlow: number,
): Generator<string> {
  checkTimeline(plan, timeline);
  yield* metadata(process, name, plan);
  const from = steps?.from ?? 0;
  const before = steps ? from + steps.count : Number.POSITIVE_INFINITY;
  const shown = (i: number) => plan.step[i] >= from && plan.step[i] < before;
  const works = Array.from({ length: plan.works.count }, (_, row) => workArguments(plan, row));
  for (let i = 0; i < plan.count; i++) {
    if (!shown(i)) continue;
    const start = microseconds(timeline.startSeconds[i]);
    const track = `"pid":${process},"tid":${plan.stream[i]}`;
    const kind = KINDS[plan.works.kind[plan.work[i]]];
    const group = GROUPS[plan.group[i]];
    yield `{"ph":"X","name":"${kind} ${group} L${plan.layer[i]}","cat":"${group}",${track},"ts":${start},` +
      `"dur":${microseconds(timeline.endSeconds[i]) - start},"args":{"operation":${i},"layer":${plan.layer[i]},` +
      `"step":${plan.step[i]},"microBatch":${plan.microBatch[i]},${works[plan.work[i]]}}}`;
    for (let d = plan.dependencyStart[i]; d < plan.dependencyStart[i + 1]; d++) {
      const source = plan.dependency[d];
      if (plan.stream[source] === plan.stream[i] || !shown(source)) continue;
      const flow = `"name":"dependency","cat":"dependency","id":${firstFlow + d},"pid":${process}`;
      // An arrow belongs to the event that runs at its time: at the end of the source its successor would run.
      const sourceStart = microseconds(timeline.startSeconds[source]);
      yield `{"ph":"s",${flow},"tid":${plan.stream[source]},"ts":${sourceStart}}`;
      yield `{"ph":"f","bp":"e",${flow},"tid":${plan.stream[i]},"ts":${start}}`;
    }
  }
}

/** Names the process and its tracks, in the order of the streams; a stream without operations has no track. */
function* metadata(process: number, name: string, plan: Plan): Generator<string> {
  const event = (kind: string, thread: number, args: object) =>
    JSON.stringify({ ph: 'M', name: kind, pid: process, tid: thread, args });
  yield event('process_name', 0, { name });
  yield event('process_sort_index', 0, { sort_index: process });
  for (const [stream, streamName] of STREAMS.entries()) {
    if (!plan.stream.includes(stream)) continue;
    yield event('thread_name', stream, { name: TRACKS[streamName] });
    yield event('thread_sort_index', stream, { sort_index: stream });
  }
}

function workArguments(plan: Plan, row: number): string {
  const { dtype, m, n, k, batch, flops, bytes } = plan.works;
  const work = {
    dtype: PRECISIONS[dtype[row]],
    m: m[row],
    n: n[row],
    k: k[row],
    batch: batch[row],
    flops: flops[row],
    bytes: bytes[row],
  };
  return JSON.stringify(work).slice(1, -1);
}

/**
 * Seconds as microseconds, to an eighth: eighths are exact in binary, so that neighbours on a track cannot overlap by the rounding of
 * whoever reads start and duration and adds them up.
 */
function microseconds(seconds: number): number {
  return Math.round(seconds * 8e6) / 8;
}

function checkTimeline(plan: Plan, { startSeconds, endSeconds }: Timeline): void {
  if (startSeconds.length < plan.count || endSeconds.length < plan.count) {
    throw new RangeError(`a timeline of ${startSeconds.length} operations for a plan of ${plan.count}`);
  }
  for (let i = 0; i < plan.count; i++) {
    if (Number.isFinite(startSeconds[i]) && Number.isFinite(endSeconds[i])) continue;
    throw new RangeError(`operation ${i} runs from ${startSeconds[i]} to ${endSeconds[i]} s`);
  }
}
