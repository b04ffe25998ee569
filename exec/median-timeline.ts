import type { Timeline } from '../sim/engine/timeline.ts';
import type { Execution } from './native.ts';

/** The timeline of the execution whose figure is the median one (the lower of two). */
export function medianTimeline(executions: readonly Execution[], figures: readonly number[]): Timeline {
  const order = figures.map((_, i) => i).sort((a, b) => figures[a] - figures[b]);
  const { startSeconds, endSeconds } = executions[order[Math.floor((order.length - 1) / 2)]];
  return { startSeconds, endSeconds, makespanSeconds: endSeconds.reduce((a, b) => Math.max(a, b), 0) };
}
