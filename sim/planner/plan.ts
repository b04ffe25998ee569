import { summariseMachine } from '../machine/summary.ts';
import { summariseModel } from '../model/quantities.ts';
import { InputError } from '../scenario/input-error.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { scheduleNamed, whyNot } from '../schedule/catalogue.ts';
import { layerGroups } from '../schedule/layer-groups.ts';
import { SCHEDULES } from '../schedule/names.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { analyticSplit } from './analytic.ts';
import { stepBound } from './bound.ts';
import { candidate, decodeBound } from './candidate.ts';
import { recommend } from './recommend.ts';
import type { Candidate, PlanResult } from './result.ts';
import { checkWays } from './splits.ts';

/**
 * Answers a scenario: simulates every schedule with its best (or the asked) split and recommends one.
 *
 * @param onCandidate told of each candidate as it is done, for progress
 * @throws InputError where a schedule asked for makes no sense under the placement, or none can serve the split
 */
export function plan(scenario: Scenario, onCandidate?: (done: number, of: number) => void): PlanResult {
  const schedules = schedulesFor(scenario);
  if (scenario.split !== 'auto') checkWays(scenario.split, schedules);
  const layers = layerGroups(scenario.model);
  const { promptTokens, generatedTokens } = scenario.workload;
  const bound = stepBound(scenario, layers, true);
  const bounds = {
    limited: decodeBound(bound, promptTokens, generatedTokens),
    unlimited: decodeBound(stepBound(scenario, layers, false), promptTokens, generatedTokens),
  };
  const candidates = schedules.map((schedule, i) => {
    const done = candidate(scenario, schedule, layers, bounds);
    onCandidate?.(i + 1, schedules.length);
    return done;
  });
  candidates.sort(bestFirst);
  return {
    scenario: scenario.name,
    model: summariseModel(scenario.model),
    machine: summariseMachine(scenario.machine),
    workload: { ...scenario.workload },
    contextTokens: promptTokens,
    bound: {
      decodeSeconds: bounds.limited,
      firstStepSeconds: bound(promptTokens),
    },
    analytic: analyticSplit(scenario),
    candidates,
    recommendation: recommend(scenario, candidates),
  };
}

/** The schedules asked for, or all that apply. */
export function schedulesFor({ schedules, placement }: Pick<Scenario, 'schedules' | 'placement'>): Schedule[] {
  if (!schedules) return SCHEDULES.map(scheduleNamed).filter((schedule) => !whyNot(schedule, placement));
  return [...new Set(schedules)].map((name, i) => {
    const schedule = scheduleNamed(name);
    const expected = whyNot(schedule, placement);
    if (expected) throw new InputError({ path: `schedules[${i}]`, found: name, expected });
    return schedule;
  });
}

/** What fits before what does not, then by time; equal times keep the order of the schedules. */
function bestFirst(a: Candidate, b: Candidate): number {
  if (a.feasible !== b.feasible) return a.feasible ? -1 : 1;
  return a.decodeSeconds - b.decodeSeconds;
}
