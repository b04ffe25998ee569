import { z } from 'zod';
import { defineShape, NO_BIASES } from './define-shape.ts';
import { LIMITS, shapeConflicts } from './limits.ts';
import type { MixtureOfExperts, ModelShape } from './shape.ts';

const count = (description: string, max: number) => z.int().min(1).max(max).meta({ description });
const countOrNone = (description: string, max: number) => z.int().min(0).max(max).meta({ description });
const flag = (description: string) => z.boolean().default(false).meta({ description });

const mlaSchema = z
  .strictObject({
    kvRank: count('Width of the compressed KV latent, elements per token', LIMITS.hidden),
    ropeDim: count('Width of the shared rotary key, elements per token', LIMITS.headDim),
    qRank: countOrNone('Rank of the compressed query; 0 where the query is projected directly', LIMITS.hidden).default(
      0,
    ),
    nopeDim: count(
      'Per-head width of the non-rotary part of query and key; default headDim',
      LIMITS.headDim,
    ).optional(),
    vDim: count('Per-head width of the value; default headDim', LIMITS.headDim).optional(),
  })
  .meta({ description: 'Multi-head latent attention' });

const moeSchema = z
  .strictObject({
    experts: count('Routed experts per MoE layer', LIMITS.experts),
    active: count('Routed experts each token uses', LIMITS.experts),
    expertFfn: count('Inner width of one expert', LIMITS.ffn),
    sharedExperts: countOrNone('Experts that every token uses, each as wide as a routed one', LIMITS.experts).default(
      0,
    ),
    denseLayers: countOrNone('The first layers, which have a dense feed-forward part instead', LIMITS.layers).default(
      0,
    ),
  })
  .meta({ description: 'Mixture of experts' });

const windowSchema = z
  .strictObject({
    size: count('Cached tokens that a windowed layer attends at most', LIMITS.contextTokens),
    every: countOrNone('Every n-th layer attends everything; 0: all layers are windowed', LIMITS.layers).default(0),
  })
  .meta({ description: 'Sliding-window attention' });

const biasSchema = z
  .strictObject({
    qkv: flag('Biases on the query, key and value projections'),
    out: flag('Bias on the attention output projection'),
    ffn: flag('Biases in the feed-forward part'),
  })
  .meta({ description: 'Which projections have biases; default none' });

const figuresSchema = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(200)
    .regex(/^\P{C}+$/u, 'printable characters')
    .optional()
    .meta({ description: 'Name in reports; default "inline"' }),
  layers: count('Decoder layers', LIMITS.layers),
  hidden: count('Hidden width', LIMITS.hidden),
  heads: count('Query heads', LIMITS.heads),
  kvHeads: count('Key-value heads, a divisor of heads; default heads', LIMITS.heads).optional(),
  headDim: count('Width of a head; default hidden / heads', LIMITS.headDim).optional(),
  ffn: count(
    'Inner width of the dense feed-forward part; required unless all layers have experts',
    LIMITS.ffn,
  ).optional(),
  gated: z
    .boolean()
    .default(true)
    .meta({ description: 'Gated feed-forward part (gate, up, down) instead of a plain one (up, down)' }),
  vocab: count('Vocabulary', LIMITS.vocab),
  learnedPositions: countOrNone('Rows of a learned position embedding', LIMITS.contextTokens).default(0),
  rotary: z.boolean().default(true).meta({ description: 'Rotary position embedding on queries and keys' }),
  norm: z.enum(['layer', 'rms']).default('rms').meta({ description: 'Layer norm or RMS norm' }),
  normsPerLayer: countOrNone('Norms per layer on the hidden width', LIMITS.normsPerLayer).default(2),
  qkNorm: flag('Every query and key head is normalised'),
  bias: biasSchema.default({ ...NO_BIASES }),
  tiedEmbeddings: flag('The output head shares the embedding'),
  embeddingProjection: countOrNone(
    'Width of the embedding where it differs from hidden and is projected, else 0',
    LIMITS.hidden,
  ).default(0),
  maxContextTokens: count('Longest context the model was made for, tokens', LIMITS.contextTokens).optional(),
  mla: mlaSchema.optional(),
  moe: moeSchema.optional(),
  window: windowSchema.optional(),
});

/** A model described in place, for instance in a scenario: the figures of a ModelShape, most of them optional. */
export const inlineShapeSchema = figuresSchema
  .superRefine((inline, context) => {
    const refuse = (path: string[], expected: string) => context.addIssue({ code: 'custom', path, message: expected });
    if (inline.ffn === undefined && (!inline.moe || inline.moe.denseLayers > 0)) {
      refuse(['ffn'], 'the inner width of the dense feed-forward part');
    }
    for (const { path, expected } of shapeConflicts(shapeFromInline(inline))) refuse(path, expected);
  })
  .meta({ description: 'Shape of a decoder-only transformer; widths in elements' });

/** What inlineShapeSchema returns. */
export type InlineShape = z.infer<typeof inlineShapeSchema>;

/** The shape that a parsed description means. */
export function shapeFromInline(inline: InlineShape): ModelShape {
  const { name = 'inline', kvHeads = inline.heads, headDim = inline.hidden / inline.heads, ...rest } = inline;
  const { ffn = inline.moe?.expertFfn ?? 0, maxContextTokens, mla, moe, window, ...stated } = rest;
  return defineShape(name, {
    ...stated,
    kvHeads,
    headDim,
    ffn,
    ...(maxContextTokens !== undefined && { maxContextTokens }),
    ...(mla && { mla: { ...mla, nopeDim: mla.nopeDim ?? headDim, vDim: mla.vDim ?? headDim } }),
    ...(moe && { moe: expertsFromInline(moe) }),
    ...(window && { window }),
  });
}

/** The description of a shape with every figure stated; shapeFromInline maps it back to the same shape. */
export function inlineFromShape(shape: ModelShape): InlineShape {
  const { moe, ...rest } = structuredClone(shape);
  return { ...rest, ...(moe && { moe: inlineFromExperts(moe) }) };
}

type InlineExperts = z.infer<typeof moeSchema>;

function expertsFromInline({
  experts,
  active,
  expertFfn,
  sharedExperts,
  denseLayers,
}: InlineExperts): MixtureOfExperts {
  return { experts, active, expertFfn, sharedFfn: sharedExperts * expertFfn, denseLayers };
}

function inlineFromExperts({ experts, active, expertFfn, sharedFfn, denseLayers }: MixtureOfExperts): InlineExperts {
  return { experts, active, expertFfn, sharedExperts: sharedFfn / expertFfn, denseLayers };
}
