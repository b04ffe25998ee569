import { ALL_BIASES } from '../define-shape.ts';
import { type ModelEntry, model } from './entry.ts';

const gptOss = (size: string, parameters: number, layers: number, experts: number) =>
  model(`gpt-oss-${size}`, `openai/gpt-oss-${size}`, parameters, {
    layers,
    hidden: 2880,
    heads: 64,
    kvHeads: 8,
    headDim: 64,
    ffn: 2880,
    vocab: 201088,
    bias: { ...ALL_BIASES },
    maxContextTokens: 131072,
    moe: { experts, active: 4, expertFfn: 2880, sharedFfn: 0, denseLayers: 0 },
    window: { size: 128, every: 2 },
  });

/** gpt-oss (arXiv 2508.10925). The attention sinks, one number a head, are not counted. */
export const GPT_OSS: readonly ModelEntry[] = [
  gptOss('20b', 20_914_757_184, 24, 32),
  gptOss('120b', 116_829_156_672, 36, 128),
];
