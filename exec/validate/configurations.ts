import { meanOverLayers } from '../../sim/planner/candidate.ts';
import { decodeRequest } from '../../sim/planner/decode-setup.ts';
import { plan, schedulesFor } from '../../sim/planner/plan.ts';
import type { Candidate } from '../../sim/planner/result.ts';
import { splitsAt, spread } from '../../sim/planner/splits.ts';
import type { Scenario, SplitRequest } from '../../sim/scenario/scenario.ts';
import { splitTokens } from '../../sim/scenario/split.ts';
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
 * The first steps of a scenario under every schedule that applies, with `splits` evenly spread splits (as many as there are, where a context
 * has fewer) where a schedule leaves open what to recompute; what the scenario wants resident or attended by the host stays so. All plans keep the same whole caches, so that one set of buffers serves them all.
 */
export function gridConfigurations(scenario: Scenario, steps: number, splits: number): Configuration[] {
  const contexts = contextsOf(scenario, steps);
  const others = otherWays(scenario.split);
  return schedulesFor(scenario).flatMap((schedule) => {
    const free = splitTokens(waysOf(others, schedule), contexts[0]).transferred;
    const requests: SplitRequest[] =
      schedule.recompute === 'none'
        ? [others]
        : spread(free, splits).map((tokens) => ({ ...others, recomputed: { tokens } }));
    return requests.map((split) => {
      const fixed = { ...scenario, split };
      return configuration(fixed, schedule, contexts, splitsAt(fixed, schedule, layerGroups(scenario.model), contexts));
    });
  });
}

/** What a scenario asks of the ways that validation does not vary. */
function otherWays(split: Scenario['split']): SplitRequest {
  if (split === 'auto') return {};
  const { resident, hostAttended } = split;
  return { ...(resident && { resident }), ...(hostAttended && { hostAttended }) };
}

function waysOf(request: SplitRequest, { ways }: Schedule): SplitRequest {
  return Object.fromEntries(Object.entries(request).filter(([way]) => ways.includes(way as Way)));
}

/** The planner's choice of schedule and splits for the whole decode, its first steps; undefined where nothing fits. */
export function chosenConfiguration(scenario: Scenario, steps: number): Configuration | undefined {
  const best = plan(scenario).candidates.find(({ feasible }) => feasible);
  return best && candidateConfiguration(scenario, best, steps);
}

/** A candidate's plan for the first steps of its decode. */
export function candidateConfiguration(
  scenario: Scenario,
  { schedule: name, strategy }: Pick<Candidate, 'schedule' | 'strategy'>,
  steps: number,
): Configuration {
  const schedule = scheduleNamed(name);
  const all = contextsOf(scenario, scenario.workload.generatedTokens);
  const splits = splitsAt(scenario, schedule, layerGroups(scenario.model), all, strategy);
  return configuration(scenario, schedule, all.slice(0, steps), splits.slice(0, steps));
}

/** Whether two configurations serve every token alike. */
export function isSame(a: Configuration, b: Configuration): boolean {
  const splits = ({ decode }: Configuration) => JSON.stringify(decode.request.splits);
  return a.schedule === b.schedule && splits(a) === splits(b);
}

function contextsOf({ workload }: Scenario, steps: number): number[] {
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

/** `kvpr-row 128`, `kvpr-row 128, 64 resident`: the schedule, the tokens it recomputes where it has a choice, and what is unusual for it. */
function nameOf({ name, recompute, home }: Schedule, split: SplitTokens): string {
  const readable = (tokens: number) => String(Number(tokens.toFixed(2)));
  const others = (['resident', 'hostAttended'] as const)
    .filter((way) => way !== home && split[way] > 0)
    .map((way) => `${readable(split[way])} ${way === 'resident' ? way : 'host-attended'}`);
  const head = recompute === 'none' ? name : `${name} ${readable(split.recomputed)}`;
  return [head, ...others].join(', ');
}
