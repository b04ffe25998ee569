import type { Problem, ProblemTask } from './problem.ts';

/** A span of time in which nothing starts or ends, and the speeds that hold in it. */
export interface Span {
  fromSeconds: number;
  toSeconds: number;
  /** The working tasks by index, with their speeds in the same order. */
  working: number[];
  speeds: number[];
  /** What the resources could give in this span, coupling included. */
  capacity: number[];
}

export interface SlowTimeline {
  startSeconds: number[];
  endSeconds: number[];
  makespanSeconds: number;
  trace: Span[];
}

interface Progress {
  phase: 'waiting' | 'latency' | 'working' | 'ended';
  /** Seconds left of the phase, at full speed. */
  left: number;
}

/**
 * The engine's definition acted out step by step: nothing is kept between two events but what is left of each task.
 * @throws Error where tasks are left that can never start.
 */
export function simulateSlowly(problem: Problem): SlowTimeline {
  const { tasks } = problem;
  const before = tasks.map(({ stream }, i) => tasks.findLastIndex((task, j) => j < i && task.stream === stream));
  const progress: Progress[] = tasks.map(() => ({ phase: 'waiting', left: 0 }));
  const startSeconds = tasks.map(() => Number.NaN);
  const endSeconds = tasks.map(() => Number.NaN);
  const trace: Span[] = [];
  let now = 0;

  for (;;) {
    while (tasks.some((_, i) => advancePhase(i))) {}
    const delayed = indicesIn('latency');
    const working = indicesIn('working');
    if (delayed.length + working.length === 0) break;

    const capacity = capacityWhile(
      working.map((i) => tasks[i]!),
      problem,
    );
    const speeds = fairSpeeds(
      working.map((i) => tasks[i]!.shares),
      capacity,
    );
    const step = Math.min(
      ...delayed.map((i) => progress[i]!.left),
      ...working.map((i, n) => progress[i]!.left / speeds[n]!),
    );
    for (const i of delayed) progress[i]!.left -= step;
    for (const [n, i] of working.entries()) {
      const { left } = progress[i]!;
      progress[i]!.left = left / speeds[n]! === step ? 0 : left - step * speeds[n]!;
    }
    trace.push({ fromSeconds: now, toSeconds: now + step, working, speeds, capacity });
    now += step;
  }

  const blocked = progress.findIndex((task) => task.phase === 'waiting');
  if (blocked >= 0) throw new Error(`task ${blocked} can never start`);
  return { startSeconds, endSeconds, makespanSeconds: now, trace };

  function indicesIn(phase: Progress['phase']): number[] {
    return tasks.map((_, i) => i).filter((i) => progress[i]!.phase === phase);
  }

  /** Takes task i one phase further if it can go now; says whether it did. */
  function advancePhase(i: number): boolean {
    const task = tasks[i]!;
    const state = progress[i]!;
    const ended = (j: number) => progress[j]!.phase === 'ended';
    if (state.phase === 'waiting') {
      const streamFree = before[i] === -1 || ended(before[i]!);
      if (!streamFree || !task.after.every(ended)) return false;
      startSeconds[i] = now;
      progress[i] = { phase: 'latency', left: task.latencySeconds };
      return true;
    }
    if (state.phase === 'ended' || state.left > 0) return false;
    if (state.phase === 'latency') {
      progress[i] = { phase: 'working', left: task.seconds };
    } else {
      endSeconds[i] = now;
      progress[i] = { phase: 'ended', left: 0 };
    }
    return true;
  }
}

/** The capacities while these tasks work: coupled resources lose while both are drawn on, once for each coupling. */
export function capacityWhile(working: readonly ProblemTask[], { capacity, couplings = [] }: Problem): number[] {
  const drawnOn = (r: number) => working.some((task) => task.shares[r]! > 0);
  const losses = couplings
    .filter(({ a, b }) => drawnOn(a) && drawnOn(b))
    .flatMap(({ a, b, factorA, factorB }) => [
      { resource: a, factor: factorA },
      { resource: b, factor: factorB },
    ]);
  return capacity.map((c, r) =>
    losses.filter(({ resource }) => resource === r).reduce((left, { factor }) => left * factor, c),
  );
}

/**
 * Max-min fair speeds by progressive filling (Bertsekas and Gallager, Data Networks, section 6.5.2): raise all speeds together; when a
 * resource is full, those that draw on it stay where they are; go on with the rest, up to full speed.
 */
function fairSpeeds(shares: readonly number[][], capacity: readonly number[]): number[] {
  const speeds: (number | undefined)[] = shares.map(() => undefined);
  const rising = () => shares.map((_, i) => i).filter((i) => speeds[i] === undefined);
  while (rising().length > 0) {
    const levels = capacity.map((c, r) => {
      const left = c - sum(shares.map((share, i) => share[r]! * (speeds[i] ?? 0)));
      const demand = sum(rising().map((i) => shares[i]![r]!));
      return demand > 0 ? left / demand : Number.POSITIVE_INFINITY;
    });
    const level = Math.min(1, ...levels);
    const stopped = rising().filter((i) => level === 1 || levels.some((l, r) => l === level && shares[i]![r]! > 0));
    for (const i of stopped) speeds[i] = level;
  }
  return speeds as number[];
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
