import { simulate } from '../../sim/engine/engine.ts';
import type { Timeline } from '../../sim/engine/timeline.ts';
import { costTable } from '../../sim/machine/cost.ts';
import type { Machine } from '../../sim/machine/machine.ts';
import { GROUPS, type GroupName, type Plan } from '../../sim/plan/plan.ts';

/** What the simulator says of a plan on a machine. */
export function predict(plan: Plan, machine: Machine): Timeline {
  return simulate(plan, costTable(plan.works, machine));
}

/** End of the last step over the number of steps, seconds. */
export function meanStepSeconds(stepEnds: Uint32Array, endSeconds: Float64Array): number {
  return endSeconds[stepEnds[stepEnds.length - 1]] / stepEnds.length;
}

/** Seconds of each step. */
export function stepSeconds(stepEnds: Uint32Array, endSeconds: Float64Array): number[] {
  return Array.from(stepEnds, (end, step) => endSeconds[end] - (step > 0 ? endSeconds[stepEnds[step - 1]] : 0));
}

/** Seconds of each group's operations in a step, added up, mean over the steps. Groups that take no time are left out. */
export function groupSeconds(
  plan: Plan,
  timeline: Pick<Timeline, 'startSeconds' | 'endSeconds'>,
): Map<GroupName, number> {
  const total = new Map<GroupName, number>();
  for (let i = 0; i < plan.count; i++) {
    const seconds = (timeline.endSeconds[i] - timeline.startSeconds[i]) / plan.steps;
    const name = GROUPS[plan.group[i]];
    if (seconds > 0) total.set(name, (total.get(name) ?? 0) + seconds);
  }
  return total;
}
