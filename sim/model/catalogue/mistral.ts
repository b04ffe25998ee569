import { type ModelEntry, model } from './entry.ts';

/** Mistral 7B v0.1 (arXiv 2310.06825) and Mixtral (arXiv 2401.04088). */
export const MISTRAL: readonly ModelEntry[] = [
  model('mistral-7b', 'mistralai/Mistral-7B-v0.1', 7_241_732_096, {
    layers: 32,
    hidden: 4096,
    heads: 32,
    kvHeads: 8,
    ffn: 14336,
    vocab: 32000,
    maxContextTokens: 32768,
    window: { size: 4096, every: 0 },
  }),
  model('mixtral-8x7b', 'mistralai/Mixtral-8x7B-v0.1', 46_702_792_704, {
    layers: 32,
    hidden: 4096,
    heads: 32,
    kvHeads: 8,
    ffn: 14336,
    vocab: 32000,
    maxContextTokens: 32768,
    moe: { experts: 8, active: 2, expertFfn: 14336, sharedFfn: 0, denseLayers: 0 },
  }),
  model('mixtral-8x22b', 'mistralai/Mixtral-8x22B-v0.1', 140_620_634_112, {
    layers: 56,
    hidden: 6144,
    heads: 48,
    kvHeads: 8,
    ffn: 16384,
    vocab: 32000,
    maxContextTokens: 65536,
    moe: { experts: 8, active: 2, expertFfn: 16384, sharedFfn: 0, denseLayers: 0 },
  }),
];
