import { ALL_BIASES } from '../define-shape.ts';
import { type ModelEntry, model } from './entry.ts';

/** Phi-2, Phi-3 (arXiv 2404.14219; the 128k versions, whose window is no shorter than their context) and Phi-4. */
export const PHI: readonly ModelEntry[] = [
  model('phi-2', 'microsoft/phi-2', 2_779_683_840, {
    ...{ layers: 32, hidden: 2560, heads: 32, ffn: 10240, gated: false, vocab: 51200, maxContextTokens: 2048 },
    norm: 'layer',
    // Attention and feed-forward part read the same normalised input.
    normsPerLayer: 1,
    bias: { ...ALL_BIASES },
  }),
  model('phi-3-mini', 'microsoft/Phi-3-mini-128k-instruct', 3_821_079_552, {
    layers: 32,
    hidden: 3072,
    heads: 32,
    ffn: 8192,
    vocab: 32064,
    maxContextTokens: 131072,
  }),
  model('phi-3-medium', 'microsoft/Phi-3-medium-128k-instruct', 13_960_238_080, {
    layers: 40,
    hidden: 5120,
    heads: 40,
    kvHeads: 10,
    ffn: 17920,
    vocab: 32064,
    maxContextTokens: 131072,
  }),
  model('phi-4', 'microsoft/phi-4', 14_659_507_200, {
    layers: 40,
    hidden: 5120,
    heads: 40,
    kvHeads: 10,
    ffn: 17920,
    vocab: 100352,
    maxContextTokens: 16384,
  }),
];
