/** How a layer's context is served, tokens in this order; the four counts add up to the context. */
export interface SplitTokens {
  resident: number;
  recomputed: number;
  transferred: number;
  hostAttended: number;
}

export const NO_TOKENS: SplitTokens = { resident: 0, recomputed: 0, transferred: 0, hostAttended: 0 };

/** The ways in token order. */
export const WAYS = [
  'resident',
  'recomputed',
  'transferred',
  'hostAttended',
] as const satisfies readonly (keyof SplitTokens)[];
