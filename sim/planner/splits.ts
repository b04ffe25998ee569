import { InputError } from '../scenario/input-error.ts';
import type { Scenario, SplitRequest, TokenShare } from '../scenario/scenario.ts';
import type { LayerGroup, LayerGroups } from '../schedule/layer-groups.ts';
import type { Schedule, Way } from '../schedule/schedule.ts';
import { NO_TOKENS, type SplitTokens } from '../schedule/split-tokens.ts';
import { attendedBy, type StepSplit, type Steps } from '../schedule/token-ranges.ts';
import { analyticSplit, tokenSeconds } from './analytic.ts';
import { minimise } from './search.ts';
import { StepFloor } from './step-floor.ts';
import { fewestLayers, StepModel } from './step-model.ts';

/**
 * Steps up to which the split of each is searched for; of longer decodes some are, and the splits between lie on straight lines.
 * Fewer where a simulated step is large, so that no plan takes long: that many blocks in all searched steps together, about.
 */
const ALL_UP_TO = 64;
const SEARCHED = 65;
const LEAST_SEARCHED = 9;
const BLOCKS = 4096;

/** The split for a context; contexts are asked in rising order. */
type SplitChooser = (context: number) => StepSplit;

/**
 * Ways to choose a split for each step of a decode. `soonest` ends each step as soon as can be behind its predecessor, which can hold on to a
 * split that only suits the splits before it; `steady` looks for the one that takes least when every step has it. Neither is always better.
 */
export const STRATEGIES = ['soonest', 'steady'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** The strategies that can differ: steps that do not overlap have but one best split. */
export function strategiesFor(scenario: Scenario, schedule: Schedule): readonly Strategy[] {
  const several = scenario.split === 'auto' && schedule.recompute !== 'none' && schedule.prefetch;
  return several && scenario.workload.generatedTokens > 1 ? STRATEGIES : ['soonest'];
}

/** The splits of a schedule at some contexts, rising: the asked ones, its only ones, or the best ones by simulation. */
export function splitsAt(
  scenario: Scenario,
  schedule: Schedule,
  layers: LayerGroups,
  contexts: readonly number[],
  strategy: Strategy = 'soonest',
): StepSplit[] {
  if (scenario.split !== 'auto') return contexts.map(fixedSplits(scenario, schedule, layers, scenario.split));
  if (schedule.recompute === 'none') return contexts.map(fixedSplits(scenario, schedule, layers, {}));
  const { model, workload } = scenario;
  const blocks = Math.min(model.layers, fewestLayers(layers, model.layers)) * workload.microBatches;
  const affordable = Math.max(LEAST_SEARCHED, Math.floor(BLOCKS / blocks));
  if (strategy === 'steady') {
    const searched = spread(contexts.length - 1, LEAST_SEARCHED);
    return between(scenario, schedule, layers, contexts, searched, steadySplits(scenario, schedule, layers));
  }
  const choose = bestSplits(scenario, schedule, layers);
  if (contexts.length <= Math.min(ALL_UP_TO, affordable)) return contexts.map(choose);
  return between(
    scenario,
    schedule,
    layers,
    contexts,
    spread(contexts.length - 1, Math.min(SEARCHED, affordable)),
    choose,
  );
}

/** Splits at all contexts from those at the searched ones: on straight lines between them. */
function between(
  scenario: Scenario,
  schedule: Schedule,
  layers: LayerGroups,
  contexts: readonly number[],
  searched: readonly number[],
  choose: SplitChooser,
): StepSplit[] {
  const splits = searched.map((step) => choose(contexts[step]));
  let next = Math.min(1, searched.length - 1);
  return contexts.map((context, step) => {
    if (step > searched[next]) next++;
    // By context, not by place in the list: sampled steps are not evenly far apart.
    const [from, to] = [contexts[searched[Math.max(0, next - 1)]], contexts[searched[next]]];
    const share = to > from ? (context - from) / (to - from) : 1;
    return layers.groups.map((group, g) => {
      const recomputed = splits[Math.max(0, next - 1)][g].recomputed * (1 - share) + splits[next][g].recomputed * share;
      const limit = recomputeLimit(scenario, schedule, group, context);
      return recomputing(Math.min(Math.round(recomputed), limit), attendedBy(group, context));
    });
  });
}

/** What a step adds to the decode when it and its predecessor have the same split, least of all splits, groups of layers one after another. */
function steadySplits(scenario: Scenario, schedule: Schedule, layers: LayerGroups): SplitChooser {
  const model = new StepModel(scenario, schedule, layers);
  let before: StepSplit | undefined;
  return (context) => {
    const limits = layers.groups.map((group) => recomputeLimit(scenario, schedule, group, context));
    const attended = layers.groups.map((group) => attendedBy(group, context));
    const split = attended.map((tokens, g) => recomputing(Math.min(before?.[g].recomputed ?? 0, limits[g]), tokens));
    for (let g = 0; g < split.length; g++) {
      const added = (recomputed: number) => {
        const later = split.map((other, i) => (i === g ? recomputing(recomputed, attended[g]) : other));
        const earlier = clippedTo(later, layers.groups, context - 1);
        if (context === 1) return model.endSeconds({ contexts: [context], splits: [later] });
        return model.addedSeconds({ contexts: [context - 1, context], splits: [earlier, later] });
      };
      split[g] = recomputing(scan(limits[g], before ? split[g].recomputed : undefined, added), attended[g]);
    }
    before = split;
    return split;
  };
}

/** The integer of 0..last with the least value as far as ever finer looks around the best one tell. */
function scan(last: number, guess: number | undefined, value: (at: number) => number): number {
  const known = new Map<number, number>();
  const look = (at: number) => {
    if (at >= 0 && at <= last && !known.has(at)) known.set(at, value(at));
  };
  for (const at of spread(last, FIRST_GUESSES)) look(at);
  if (guess !== undefined) look(guess);
  const best = () => [...known].reduce((least, one) => (one[1] < least[1] ? one : least))[0];
  for (
    let stride = Math.ceil(last / (FIRST_GUESSES - 1) / 2);
    stride >= 1;
    stride = stride === 1 ? 0 : Math.ceil(stride / 2)
  ) {
    const at = best();
    for (const step of [-stride, stride]) look(at + step);
  }
  return best();
}

/** Evenly spread integers from 0 to last, both among them where there is more than one. */
export function spread(last: number, count: number): number[] {
  const all = Array.from({ length: count }, (_, i) => Math.round((i * last) / Math.max(1, count - 1)));
  return [...new Set(all)];
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
  const floor = new StepFloor(scenario, schedule, layers, (context) => model.kernelSeconds(context));
  const firstGuess = analyticSplit(scenario).splitTokens;
  // What a recomputed token takes of the link, of what a transferred one takes, 1 at most.
  const cost = tokenSeconds(scenario);
  const linkShare = cost.activation < cost.kv ? cost.activation / cost.kv : 1;
  let before: { context: number; split: StepSplit } | undefined;
  return (context) => {
    // In series a step does not overlap its predecessor.
    const behind = before && schedule.prefetch ? [clippedTo(before.split, layers.groups, context - 1)] : [];
    const contexts = behind.length > 0 ? [context - 1, context] : [context];
    const ending = (split: StepSplit): Steps => ({ contexts, splits: [...behind, split] });
    const limits = layers.groups.map((group) => recomputeLimit(scenario, schedule, group, context));
    const best = layers.groups.map((group, g) => {
      const attended = attendedBy(group, context);
      return recomputing(Math.min(before?.split[g].recomputed ?? firstGuess, limits[g]), attended);
    });
    // Groups of layers influence each other only through what overlaps: one after another until nothing changes.
    let soonest = Number.POSITIVE_INFINITY;
    for (let changed = true, round = 0; changed && round < MAX_ROUNDS; round++) {
      changed = false;
      for (let g = 0; g < layers.groups.length; g++) {
        const attended = attendedBy(layers.groups[g], context);
        const withGroup = (split: SplitTokens) => best.map((other, i) => (i === g ? split : other));
        const flat = linkShare > FLAT && limits[g] > FEW;
        const nearly = flat || limits[g] > MANY || layers.groups.length > 1;
        // No more of anything than any split in the range has; of the link in all no more than at the range's less busy end, in shares of
        // what a transferred token takes.
        const least = (from: number, to: number, share: number) =>
          ending(withGroup({ ...NO_TOKENS, recomputed: from, transferred: attended - to + (to - from) * share }));
        const found = minimise(
          limits[g],
          // The ends, which leave out a copy and so are unlike what lies between them, are always looked at.
          [best[g].recomputed, 0, limits[g], ...(before ? [] : spread(limits[g], FIRST_GUESSES))],
          (recomputed) => model.endSeconds(ending(withGroup(recomputing(recomputed, attended)))),
          [
            (from, to) => floor.seconds(least(from, to, linkShare)),
            // Less work can, rarely, take longer under fair sharing: in 12,000 random steps it kept the search from the best split once,
            // which was 6e-4 faster. Taking the link in all is far tighter, but wrong where a fetch waits for its buffer.
            (from, to) => model.endSeconds(least(from, to, nearly ? linkShare : 0)),
          ],
          nearly ? NEARLY : 0,
        );
        changed ||= layers.groups.length > 1 && found.value < soonest * (1 - NEARLY);
        soonest = Math.min(soonest, found.value);
        best[g] = recomputing(found.at, attended);
      }
    }
    before = { context, split: best };
    return best;
  };
}

/**
 * With this many tokens, several groups of layers, or an activation that takes nearly as much of the link as the KV it replaces, countless
 * splits are nearly as good: one within `NEARLY` of the best will do.
 */
const MANY = 4096;
const FLAT = 0.8;
const FEW = 256;
const NEARLY = 1e-4;
const MAX_ROUNDS = 3;
/** The first step has no predecessor to guess from: it looks at this many splits first. */
const FIRST_GUESSES = 17;

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
