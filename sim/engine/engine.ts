import { SpeedCache } from './speed-cache.ts';
import type { CostTable, Tasks } from './tasks.ts';
import type { Timeline } from './timeline.ts';

const MAX_STREAMS = 16;
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

  const next = first.slice();
  const running = new Int32Array(streams).fill(IDLE);
  /** Work row of each stream that draws on resources now. */
  const row = new Int32Array(streams).fill(IDLE);
  const finish = new Float64Array(streams).fill(Number.POSITIVE_INFINITY);
  const speed = new Float64Array(streams).fill(1);
  /** The dependency that was last seen unfinished: looking at it alone settles most checks. */
  const waitsFor = new Int32Array(streams).fill(IDLE);
  const speeds = new SpeedCache(streams, costs);
  const fairSpeed = speeds.speed;

  let now = 0;
  let done = 0;
  let ended = true;

  while (done < count) {
    // Start what can start; a task without any duration ends at once and may release others.
    while (ended) {
      ended = false;
      for (let s = 0; s < streams; s++) {
        while (running[s] === IDLE && next[s] < first[s + 1]) {
          if (waitsFor[s] !== IDLE && end[waitsFor[s]] < 0) break;
          const task = order[next[s]];
          let blocker = IDLE;
          for (let e = dependencyStart[task]; e < dependencyStart[task + 1]; e++) {
            if (end[dependency[e]] < 0) {
              blocker = dependency[e];
              break;
            }
          }
          waitsFor[s] = blocker;
          if (blocker !== IDLE) break;
          start[task] = now;
          const w = work[task];
          if (latencySeconds[w] > 0) {
            running[s] = task;
            finish[s] = now + latencySeconds[w];
          } else if (seconds[w] > 0) {
            running[s] = task;
            row[s] = w;
            speed[s] = 1;
            finish[s] = now + seconds[w];
          } else {
            end[task] = now;
            next[s]++;
            done++;
            ended = true;
          }
        }
      }
    }
    if (done === count) break;

    const at = speeds.lookUp(row);
    let soonest = Number.POSITIVE_INFINITY;
    for (let s = 0; s < streams; s++) {
      const fair = fairSpeed[at + s];
      if (fair !== speed[s] && row[s] !== IDLE) {
        finish[s] = now + ((finish[s] - now) * speed[s]) / fair;
        speed[s] = fair;
      }
      if (finish[s] < soonest) soonest = finish[s];
    }
    if (soonest === Number.POSITIVE_INFINITY) throw new Error(deadlock(order, next, first, waitsFor));
    now = soonest;

    for (let s = 0; s < streams; s++) {
      if (finish[s] !== now) continue;
      const task = running[s];
      if (row[s] === IDLE && seconds[work[task]] > 0) {
        // The latency is over, the work begins.
        row[s] = work[task];
        speed[s] = 1;
        finish[s] = now + seconds[row[s]];
      } else {
        end[task] = now;
        done++;
        next[s]++;
        running[s] = IDLE;
        row[s] = IDLE;
        finish[s] = Number.POSITIVE_INFINITY;
        ended = true;
      }
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
  for (let s = 0; s < next.length - 1; s++) {
    if (next[s] < first[s + 1]) {
      return `task ${order[next[s]]} in stream ${s} waits forever for task ${waitsFor[s]}: the streams' orders contradict the dependencies`;
    }
  }
  return 'no task can start';
}
