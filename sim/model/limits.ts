import type { ModelShape } from './shape.ts';

/** Largest figures that a description may state: far above any model, small enough that no product overflows. */
export const LIMITS = {
  layers: 256,
  hidden: 131_072,
  heads: 1024,
  headDim: 4096,
  ffn: 1_048_576,
  vocab: 4_194_304,
  experts: 4096,
  normsPerLayer: 8,
  contextTokens: 1_073_741_824,
} as const;

/** A figure of a description that another one rules out. */
export interface Conflict {
  /** Keys of the shape from the outside in. */
  path: string[];
  found: number;
  expected: string;
}

/** Conflicts within a shape whose figures are each within LIMITS. */
export function shapeConflicts({ heads, kvHeads, headDim, hidden, layers, moe }: ModelShape): Conflict[] {
  const conflicts: Conflict[] = [];
  const demand = (holds: boolean, path: string[], found: number, expected: string) => {
    if (!holds) conflicts.push({ path, found, expected });
  };
  demand(
    Number.isInteger(headDim),
    ['headDim'],
    headDim,
    `a whole head width (${hidden} is no multiple of ${heads} heads)`,
  );
  demand(heads % kvHeads === 0, ['kvHeads'], kvHeads, `a divisor of the ${heads} heads`);
  if (moe) {
    demand(moe.active <= moe.experts, ['moe', 'active'], moe.active, `at most the ${moe.experts} experts`);
    demand(moe.denseLayers <= layers, ['moe', 'denseLayers'], moe.denseLayers, `at most the ${layers} layers`);
  }
  return conflicts;
}
