import type { Home } from '../scenario/scenario.ts';
import type { ScheduleName } from './names.ts';
import type { SplitTokens } from './split-tokens.ts';

/** A way to serve a cached token. */
export type Way = keyof SplitTokens;

/** A policy: which ways serve the context, and how copies and kernels are ordered. It knows no time. */
export interface Schedule {
  name: ScheduleName;
  summary: string;
  /** The ways it can serve a token, apart from the home way. */
  ways: readonly Way[];
  /** The way of tokens that the split does not name, and of every token generated later. */
  home: Way;
  /** How far recomputation may go; `none` where the split is not the planner's to choose. */
  recompute: 'none' | 'prompt' | 'context';
  /** Fetches run ahead into a second buffer; otherwise the fetch for a block starts when the block before it ends. */
  prefetch: boolean;
  /** Where the weights must live for the schedule to make sense; undefined: either. */
  weights?: Home;
}
