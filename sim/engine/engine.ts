import { SpeedCache } from './speed-cache.ts';
import type { CostTable, Tasks } from './tasks.ts';
import type { Timeline } from './timeline.ts';

const MAX_STREAMS = 16;
/** Instead of a task: what the first task of each stream waits for, and what a stream waits for behind its last. */
const BEGINNING = -1;
const NOTHING = -2;
const IDLE = -1;

/**
 * Simulates tasks in streams that share resources max-min fairly (see `CostTable`).
 * Deterministic: streams are looked at in order, and a stream runs its tasks in index order.
 *
 * @throws Error naming the first blocked task where streams wait for each other forever
 */
export function simulate(tasks: Tasks, costs: CostTable): Timeline {
  const { count, work, dependencyStart, dependency } = tasks;
  const { latencySeconds, seconds } = costs;
  const start = new Float64Array(count);
  const end = new Float64Array(count).fill(-1);
  const { order, first, streams } = tasksByStream(tasks);

  /** Place in `order` of the task that each stream runs or is to start. */
  const next = first.slice(0, streams);
  /** The task whose end each stream waits for: the one it runs, or the first unfinished dependency of the one it is to start. */
  const waitsFor = new Int32Array(streams).fill(BEGINNING);
  /** When the running task's latency or work ends at the present speed; infinite where nothing runs. */
  const finish = new Float64Array(streams).fill(Number.POSITIVE_INFINITY);
  /** Work still to begin when the running task's latency ends. */
  const rest = new Float64Array(streams);
  /** Work row of each stream that draws on resources now. */
  const row = new Int32Array(streams).fill(IDLE);
  const speed = new Float64Array(streams).fill(1);
  const speeds = new SpeedCache(streams, costs);
  const fairSpeed = speeds.speed;

  let now = 0;
  let ended = BEGINNING;
  let done = 0;

  // One turn is one end of a latency or a task; those that end at the same moment take turns without time passing.
  for (;;) {
    if (ended !== NOTHING) {
      for (let s = 0; s < streams; s++) {
        if (waitsFor[s] !== ended) continue;
        if (next[s] === first[s + 1]) {
          waitsFor[s] = NOTHING;
          continue;
        }
        const task = order[next[s]];
        let blocker = task;
        for (let e = dependencyStart[task]; e < dependencyStart[task + 1]; e++) {
          if (end[dependency[e]] < 0) {
            blocker = dependency[e];
            break;
          }
        }
        waitsFor[s] = blocker;
        if (blocker !== task) continue;
        start[task] = now;
        const w = work[task];
        if (latencySeconds[w] > 0) {
          finish[s] = now + latencySeconds[w];
          rest[s] = seconds[w];
        } else {
          finish[s] = now + seconds[w];
          row[s] = seconds[w] > 0 ? w : IDLE;
        }
      }
      if (done === count) break;
    }

    const at = speeds.lookUp(row);
    let soonest = Number.POSITIVE_INFINITY;
    let s = 0;
    for (let i = 0; i < streams; i++) {
      const fair = fairSpeed[at + i];
      if (fair !== speed[i]) {
        finish[i] = now + ((finish[i] - now) * speed[i]) / fair;
        speed[i] = fair;
      }
      if (finish[i] < soonest) {
        soonest = finish[i];
        s = i;
      }
    }
    if (soonest === Number.POSITIVE_INFINITY) throw new Error(deadlock(order, next, first, waitsFor));
    now = soonest;

    speed[s] = 1;
    if (rest[s] > 0) {
      row[s] = work[waitsFor[s]];
      finish[s] = now + rest[s];
      rest[s] = 0;
      ended = NOTHING;
    } else {
      ended = waitsFor[s];
      end[ended] = now;
      done++;
      next[s]++;
      row[s] = IDLE;
      finish[s] = Number.POSITIVE_INFINITY;
    }
  }
  return { startSeconds: start, endSeconds: end, makespanSeconds: now };
}

/** Task indices stream by stream: `order[first[s] .. first[s + 1]]` are the tasks of stream s. */
function tasksByStream(tasks: Tasks): { order: Uint32Array; first: Uint32Array; streams: number } {
  const { count, stream } = tasks;
  const sizes = new Uint32Array(256);
  for (let i = 0; i < count; i++) sizes[stream[i]]++;
  let streams = 0;
  for (let s = 0; s < 256; s++) if (sizes[s] > 0) streams = s + 1;
  if (streams > MAX_STREAMS) throw new RangeError(`found ${streams} streams, expected at most ${MAX_STREAMS}`);
  const first = new Uint32Array(streams + 1);
  for (let s = 0; s < streams; s++) first[s + 1] = first[s] + sizes[s];
  const order = new Uint32Array(count);
  const at = first.slice();
  for (let i = 0; i < count; i++) order[at[stream[i]]++] = i;
  return { order, first, streams };
}

function deadlock(order: Uint32Array, next: Uint32Array, first: Uint32Array, waitsFor: Int32Array): string {
  for (let s = 0; s < next.length; s++) {
    if (next[s] < first[s + 1]) {
      return `task ${order[next[s]]} in stream ${s} waits forever for task ${waitsFor[s]}: the streams' orders contradict the dependencies`;
    }
  }
  return 'no task can start';
}
