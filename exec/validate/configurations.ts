import { meanOverLayers } from '../../sim/planner/candidate.ts';
import { decodeRequest } from '../../sim/planner/decode-setup.ts';
import { plan, schedulesFor } from '../../sim/planner/plan.ts';
import type { Candidate } from '../../sim/planner/result.ts';
import { splitsAt, spread } from '../../sim/planner/splits.ts';
import type { Scenario, SplitRequest } from '../../sim/scenario/scenario.ts';
import { scheduleNamed } from '../../sim/schedule/catalogue.ts';
import { type DecodePlan, decodePlan } from '../../sim/schedule/decode.ts';
import { type LayerGroups, layerGroups } from '../../sim/schedule/layer-groups.ts';
import type { ScheduleName } from '../../sim/schedule/names.ts';
import type { Schedule, Way } from '../../sim/schedule/schedule.ts';
import { NO_TOKENS, type SplitTokens } from '../../sim/schedule/split-tokens.ts';
import { attendedBy, type StepSplit, type Steps } from '../../sim/schedule/token-ranges.ts';

/** A schedule with a split, ready to be predicted and executed. */
export interface Configuration {
  name: string;
  schedule: ScheduleName;
  /** First step, mean over layers. */
  split: SplitTokens;
  decode: DecodePlan;
}

/**
 * The first steps of a scenario under every schedule that applies, with `splits` evenly spread splits where a schedule leaves them open.
 * All plans keep the same whole caches, so that one set of buffers serves them all.
 */
export function gridConfigurations(scenario: Scenario, steps: number, splits: number): Configuration[] {
  const contexts = contextsOf(scenario, steps);
  return schedulesFor(scenario).flatMap((schedule) => {
    const requests: SplitRequest[] =
      schedule.recompute === 'none' ? [{}] : spread(contexts[0], splits).map((tokens) => ({ recomputed: { tokens } }));
    return requests.map((split) => {
      const fixed = { ...scenario, split };
      return configuration(fixed, schedule, contexts, splitsAt(fixed, schedule, layerGroups(scenario.model), contexts));
    });
  });
}

/** The planner's choice of schedule and splits for the same steps; undefined where nothing fits. */
export function chosenConfiguration(scenario: Scenario, steps: number): Configuration | undefined {
  const contexts = contextsOf(scenario, steps);
  const asked = { ...scenario, workload: { ...scenario.workload, generatedTokens: contexts.length } };
  const best = plan(asked).candidates.find(({ feasible }) => feasible);
  return best && candidateConfiguration(asked, best, contexts);
}

/** A candidate's plan for the steps with these contexts. */
export function candidateConfiguration(
  scenario: Scenario,
  { schedule: name, strategy }: Pick<Candidate, 'schedule' | 'strategy'>,
  contexts: readonly number[],
): Configuration {
  const schedule = scheduleNamed(name);
  return configuration(
    scenario,
    schedule,
    contexts,
    splitsAt(scenario, schedule, layerGroups(scenario.model), contexts, strategy),
  );
}

export function contextsOf({ workload }: Scenario, steps: number): number[] {
  return Array.from({ length: Math.min(steps, workload.generatedTokens) }, (_, step) => workload.promptTokens + step);
}

function configuration(
  scenario: Scenario,
  schedule: Schedule,
  contexts: readonly number[],
  splits: readonly StepSplit[],
): Configuration {
  const layers = layerGroups(scenario.model);
  const request = {
    ...decodeRequest(scenario, schedule, { contexts, splits }),
    otherSteps: extremes(schedule, layers, contexts),
  };
  const split = meanOverLayers(splits[0], layers);
  return { name: nameOf(schedule, split), schedule: schedule.name, split, decode: decodePlan(request) };
}

/** Steps that send every token each way the schedule has: a plan beside them has caches with room for any split. */
function extremes(schedule: Schedule, { groups }: LayerGroups, contexts: readonly number[]): Steps {
  const ways: Way[] = [schedule.home, ...schedule.ways];
  const ends = [contexts[0], contexts[contexts.length - 1]];
  const all = ends.flatMap((context) => ways.map((way) => ({ context, way })));
  return {
    contexts: all.map(({ context }) => context),
    splits: all.map(({ context, way }) => groups.map((group) => ({ ...NO_TOKENS, [way]: attendedBy(group, context) }))),
  };
}

function nameOf({ name, recompute }: Schedule, { recomputed }: SplitTokens): string {
  return recompute === 'none' ? name : `${name} ${Math.round(recomputed)}`;
}
