import { IDLE, SpeedCache } from './speed-cache.ts';
import type { CostTable, Tasks } from './tasks.ts';
import type { Timeline } from './timeline.ts';

const MAX_STREAMS = 16;
/** Instead of a task: what the first task of each stream waits for, and what a stream waits for behind its last. */
const BEGINNING = -1;
const NOTHING = -2;

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
  const { first: next, following, streams } = queues(tasks);

  /** The task whose end each stream waits for: the one it runs, or the first unfinished dependency of the one it is to start. */
  const waitsFor = new Int32Array(streams).fill(BEGINNING);
  /** When the running task's latency or work ends at the present speed; infinite where nothing runs. */
  const finish = new Float64Array(streams).fill(Number.POSITIVE_INFINITY);
  /** Work still to begin when the running task's latency ends. */
  const rest = new Float64Array(streams);
  const speed = new Float64Array(streams).fill(1);
  const speeds = new SpeedCache(streams, costs);
  const fairSpeed = speeds.speed;

  let now = 0;
  let ended = BEGINNING;

  // One turn is one end of a latency or a task; those that end at the same moment take turns without time passing.
  for (;;) {
    if (ended !== NOTHING) {
      for (let s = 0; s < streams; s++) {
        if (waitsFor[s] !== ended) continue;
        const task = next[s];
        if (task === NOTHING) {
          waitsFor[s] = NOTHING;
          continue;
        }
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
          if (seconds[w] > 0) speeds.set(s, w);
        }
      }
    }

    const at = speeds.lookUp();
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
    if (soonest === Number.POSITIVE_INFINITY) break;
    now = soonest;

    speed[s] = 1;
    if (rest[s] > 0) {
      speeds.set(s, work[waitsFor[s]]);
      finish[s] = now + rest[s];
      rest[s] = 0;
      ended = NOTHING;
    } else {
      ended = waitsFor[s];
      end[ended] = now;
      next[s] = following[ended];
      speeds.set(s, IDLE);
      finish[s] = Number.POSITIVE_INFINITY;
    }
  }
  if (next.some((task) => task !== NOTHING)) throw new Error(deadlock(next, waitsFor));
  return { startSeconds: start, endSeconds: end, makespanSeconds: now };
}

/** The first task of each stream, and after each task the following one in its stream; NOTHING where there is none. */
function queues(tasks: Tasks): { first: Int32Array; following: Int32Array; streams: number } {
  const { count, stream } = tasks;
  const first = new Int32Array(MAX_STREAMS).fill(NOTHING);
  const following = new Int32Array(count);
  let streams = 0;
  for (let task = count - 1; task >= 0; task--) {
    const s = stream[task];
    if (s >= streams) {
      if (s >= MAX_STREAMS) throw new RangeError(`found stream ${s}, expected at most ${MAX_STREAMS} streams`);
      streams = s + 1;
    }
    following[task] = first[s];
    first[s] = task;
  }
  return { first, following, streams };
}

function deadlock(next: Int32Array, waitsFor: Int32Array): string {
  const s = next.findIndex((task) => task !== NOTHING);
  return `task ${next[s]} in stream ${s} waits forever for task ${waitsFor[s]}: the streams' orders contradict the dependencies`;
}
