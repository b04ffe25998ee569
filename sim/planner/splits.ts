import { InputError } from '../scenario/input-error.ts';
import type { Scenario, SplitRequest, TokenShare } from '../scenario/scenario.ts';
import type { LayerGroup, LayerGroups } from '../schedule/layer-groups.ts';
import type { Schedule, Way } from '../schedule/schedule.ts';
import { NO_TOKENS, type SplitTokens } from '../schedule/split-tokens.ts';
import { attendedBy, type StepSplit } from '../schedule/token-ranges.ts';
import { analyticSplit } from './analytic.ts';
import { minimise } from './search.ts';
import { StepFloor } from './step-floor.ts';
import { StepModel } from './step-model.ts';

/** How the splits of a decode are found; asked once per step, in order. */
export type SplitChooser = (context: number) => StepSplit;

/** The splits of a schedule: the asked ones, its only ones, or the best ones by simulation. */
export function splitChooser(scenario: Scenario, schedule: Schedule, layers: LayerGroups): SplitChooser {
  if (scenario.split !== 'auto') return fixedSplits(scenario, schedule, layers, scenario.split);
  if (schedule.recompute === 'none') return fixedSplits(scenario, schedule, layers, {});
  return bestSplits(scenario, schedule, layers);
}

/**
 * A fixed split is the first step's; later tokens join the schedule's home way. Ways that the schedule does not know fall to its home way.
 * Counts are positions from the first token on; a windowed layer sees the part of them inside its window. Fractions are of each layer's own context.
 */
function fixedSplits(scenario: Scenario, schedule: Schedule, layers: LayerGroups, request: SplitRequest): SplitChooser {
  const first = scenario.workload.promptTokens;
  const asked = (way: Way) => (schedule.ways.includes(way) ? request[way] : undefined);
  const boundaries = layers.groups.map((group) => {
    const attended = attendedBy(group, first);
    const residentEnd = position(asked('resident'), 0, first, attended);
    return { residentEnd, recomputedEnd: position(asked('recomputed'), residentEnd, first, attended) };
  });
  return (context) =>
    layers.groups.map((group, g) => {
      const from = context - attendedBy(group, context);
      const clip = (at: number) => Math.min(Math.max(at, from), context);
      const residentEnd = clip(boundaries[g].residentEnd);
      const recomputedEnd = clip(boundaries[g].recomputedEnd);
      const split = { ...NO_TOKENS, resident: residentEnd - from, recomputed: recomputedEnd - residentEnd };
      split[schedule.home] += context - recomputedEnd;
      return split;
    });
}

/** Where a share that begins at `from` ends; a fraction is of the attended part of the context. */
function position(share: TokenShare | undefined, from: number, context: number, attended: number): number {
  if (!share) return from;
  if ('tokens' in share) return from + share.tokens;
  return Math.max(from, context - attended) + Math.round(share.fraction * attended);
}

/** @throws InputError where no schedule considered can serve tokens the way the split asks */
export function checkWays(request: SplitRequest, schedules: readonly Schedule[]): void {
  for (const [way, share] of Object.entries(request) as [Way, TokenShare][]) {
    const asked = 'tokens' in share ? share.tokens : share.fraction;
    if (asked === 0 || schedules.some((schedule) => schedule.home === way || schedule.ways.includes(way))) continue;
    const ways = [...new Set(schedules.flatMap((schedule) => [schedule.home, ...schedule.ways]))];
    throw new InputError({
      path: `split.${way}`,
      found: 'tokens for which no schedule considered has a way',
      expected: `one of ${ways.join(', ')}, or other schedules`,
    });
  }
}

/** The split of each step that ends it soonest, found by simulation, the first step's alone and each later one's behind its predecessor. */
function bestSplits(scenario: Scenario, schedule: Schedule, layers: LayerGroups): SplitChooser {
  const model = new StepModel(scenario, schedule, layers);
  const firstGuess = analyticSplit(scenario).splitTokens;
  let before: { context: number; split: StepSplit } | undefined;
  return (context) => {
    // In series a step does not overlap its predecessor.
    const behind = before && schedule.prefetch ? [clippedTo(before.split, layers.groups, context - 1)] : [];
    const contexts = behind.length > 0 ? [context - 1, context] : [context];
    const seconds = (split: StepSplit) => model.seconds({ contexts, splits: [...behind, split] });
    const floor = new StepFloor(scenario, schedule, layers, model.kernelSeconds(context));
    const limits = layers.groups.map((group) => recomputeLimit(scenario, schedule, group, context));
    const best = layers.groups.map((group, g) => {
      const attended = attendedBy(group, context);
      return recomputing(Math.min(before?.split[g].recomputed ?? firstGuess, limits[g]), attended);
    });
    // Groups of layers influence each other only through what overlaps: one after another until nothing changes.
    for (let changed = true, round = 0; changed && round < MAX_ROUNDS; round++) {
      changed = false;
      for (let g = 0; g < layers.groups.length; g++) {
        const attended = attendedBy(layers.groups[g], context);
        const withGroup = (split: SplitTokens) => best.map((other, i) => (i === g ? split : other));
        // The least work of either kind between two splits.
        const relaxed = (from: number, to: number) =>
          withGroup({ ...NO_TOKENS, recomputed: from, transferred: attended - to });
        const found = minimise(
          limits[g],
          [best[g].recomputed, ...(before ? [] : spread(limits[g]))],
          (recomputed) => seconds(withGroup(recomputing(recomputed, attended))),
          [(from, to) => floor.seconds(relaxed(from, to)), (from, to) => seconds(relaxed(from, to))],
        );
        if (found.at !== best[g].recomputed) changed = layers.groups.length > 1;
        best[g] = recomputing(found.at, attended);
      }
    }
    before = { context, split: best };
    return best;
  };
}

const MAX_ROUNDS = 4;
/** The first step has no predecessor to guess from: it looks at this many splits first. */
const FIRST_GUESSES = 16;

function spread(last: number): number[] {
  return Array.from({ length: FIRST_GUESSES + 1 }, (_, i) => Math.round((i * last) / FIRST_GUESSES));
}

function recomputing(recomputed: number, attended: number): SplitTokens {
  return { ...NO_TOKENS, recomputed, transferred: attended - recomputed };
}

/** A predecessor's split for a context that was not itself searched (steps between samples). */
function clippedTo(split: StepSplit, groups: readonly LayerGroup[], context: number): StepSplit {
  return split.map((tokens, g) => {
    const attended = attendedBy(groups[g], context);
    return recomputing(Math.min(tokens.recomputed, attended), attended);
  });
}

function recomputeLimit(scenario: Scenario, schedule: Schedule, group: LayerGroup, context: number): number {
  const attended = attendedBy(group, context);
  if (schedule.recompute === 'context') return attended;
  // The paper recomputes prompt tokens only; those inside the window count.
  return Math.max(0, Math.min(attended, scenario.workload.promptTokens - (context - attended)));
}
