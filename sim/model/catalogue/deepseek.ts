import { type ModelEntry, model } from './entry.ts';

const LATENT = { kvRank: 512, ropeDim: 64, nopeDim: 128, vDim: 128 };

/** DeepSeek-V2 (arXiv 2405.04434) and V3 (arXiv 2412.19437, without the multi-token prediction layer). */
export const DEEPSEEK: readonly ModelEntry[] = [
  model('deepseek-v2-lite', 'deepseek-ai/DeepSeek-V2-Lite', 15_706_484_224, {
    ...{ layers: 27, hidden: 2048, heads: 16, headDim: 128, ffn: 10944, vocab: 102400, maxContextTokens: 163840 },
    mla: { ...LATENT, qRank: 0 },
    moe: { experts: 64, active: 6, expertFfn: 1408, sharedFfn: 2816, denseLayers: 1 },
  }),
  model('deepseek-v2', 'deepseek-ai/DeepSeek-V2', 235_741_434_880, {
    ...{ layers: 60, hidden: 5120, heads: 128, headDim: 128, ffn: 12288, vocab: 102400, maxContextTokens: 163840 },
    mla: { ...LATENT, qRank: 1536 },
    moe: { experts: 160, active: 6, expertFfn: 1536, sharedFfn: 3072, denseLayers: 1 },
  }),
  model('deepseek-v3', 'deepseek-ai/DeepSeek-V3', 671_026_419_200, {
    ...{ layers: 61, hidden: 7168, heads: 128, headDim: 128, ffn: 18432, vocab: 129280, maxContextTokens: 163840 },
    mla: { ...LATENT, qRank: 1536 },
    moe: { experts: 256, active: 8, expertFfn: 2048, sharedFfn: 2048, denseLayers: 3 },
  }),
];
