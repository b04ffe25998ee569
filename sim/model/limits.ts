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

/** Two figures of a description that cannot both be true. */
export interface Conflict {
  /** Key of the shape, or keys from the outside in. */
  path: string[];
  found: string;
  expected: string;
}

/** Conflicts within a shape whose figures are each within LIMITS. */
export function shapeConflicts(shape: ModelShape): Conflict[] {
  const conflicts: Conflict[] = [];
  const demand = (holds: boolean, path: string[], found: string, expected: string) => {
    if (!holds) conflicts.push({ path, found, expected });
  };
  const { heads, kvHeads, headDim, hidden, layers, moe } = shape;
  demand(
    Number.isInteger(headDim),
    ['headDim'],
    `no head width, hidden width ${hidden} and ${heads} heads`,
    'a head width, or a hidden width that is a multiple of the heads',
  );
  demand(
    heads % kvHeads === 0,
    ['kvHeads'],
    `${kvHeads} key-value heads for ${heads} heads`,
    'heads that are a multiple of the key-value heads',
  );
  if (moe) {
    demand(
      moe.active <= moe.experts,
      ['moe', 'active'],
      `${moe.active} active experts of ${moe.experts}`,
      'at most as many active experts as experts',
    );
    demand(
      moe.denseLayers <= layers,
      ['moe', 'denseLayers'],
      `${moe.denseLayers} dense layers of ${layers}`,
      'at most as many dense layers as layers',
    );
  }
  return conflicts;
}
