import { ALL_BIASES } from '../define-shape.ts';
import { type ModelEntry, model } from './entry.ts';

/**
 * Models around multi-query attention: Falcon (arXiv 2311.16867; its checkpoints store the shared embedding twice,
 * here it counts once) and StarCoder (arXiv 2305.06161).
 */
export const MULTI_QUERY: readonly ModelEntry[] = [
  model('falcon-7b', 'tiiuae/falcon-7b', 6_921_720_704, {
    ...{ layers: 32, hidden: 4544, heads: 71, kvHeads: 1, ffn: 18176, gated: false, vocab: 65024 },
    norm: 'layer',
    // Attention and feed-forward part read the same normalised input.
    normsPerLayer: 1,
    tiedEmbeddings: true,
    maxContextTokens: 2048,
  }),
  model('falcon-40b', 'tiiuae/falcon-40b', 41_303_293_952, {
    ...{ layers: 60, hidden: 8192, heads: 128, kvHeads: 8, ffn: 32768, gated: false, vocab: 65024 },
    norm: 'layer',
    tiedEmbeddings: true,
    maxContextTokens: 2048,
  }),
  model('starcoder', 'bigcode/starcoder', 15_517_456_384, {
    ...{ layers: 40, hidden: 6144, heads: 48, kvHeads: 1, ffn: 24576, gated: false, vocab: 49152 },
    learnedPositions: 8192,
    rotary: false,
    norm: 'layer',
    bias: { ...ALL_BIASES },
    tiedEmbeddings: true,
    maxContextTokens: 8192,
  }),
];
