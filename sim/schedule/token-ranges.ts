import type { LayerGroup } from './layer-groups.ts';
import type { Schedule } from './schedule.ts';
import type { SplitTokens } from './split-tokens.ts';

/** Split of one step, per layer group. */
export type StepSplit = readonly SplitTokens[];

/** Token positions of one step in one layer group; the ways follow each other in token order. */
export interface TokenRange {
  /** First attended position: resident tokens begin here. */
  from: number;
  residentEnd: number;
  recomputedEnd: number;
  transferredEnd: number;
  /** The context s: the position of the token being decoded; host-attended tokens end here. */
  context: number;
}

/** Some steps of a decode: the context and the split of each. */
export interface Steps {
  contexts: readonly number[];
  splits: readonly StepSplit[];
}

export function attendedBy(group: LayerGroup, context: number): number {
  return Math.min(context, group.window);
}

function tokenRange(split: SplitTokens, group: LayerGroup, context: number): TokenRange {
  const from = context - attendedBy(group, context);
  const residentEnd = from + split.resident;
  const recomputedEnd = residentEnd + split.recomputed;
  return { from, residentEnd, recomputedEnd, transferredEnd: recomputedEnd + split.transferred, context };
}

/** Whether a step recomputes every token that is not resident, generated ones among them. */
export function recomputesAll({ recompute }: Schedule, { residentEnd, recomputedEnd, context }: TokenRange): boolean {
  return recompute === 'context' && recomputedEnd === context && recomputedEnd > residentEnd;
}

/** Ranges of each step in each layer group. */
export function tokenRanges(groups: readonly LayerGroup[], { contexts, splits }: Steps): TokenRange[][] {
  return contexts.map((context, step) => groups.map((group, g) => tokenRange(splits[step][g], group, context)));
}
