import type { ShapeSketch } from '../define-shape.ts';
import { type ModelEntry, model } from './entry.ts';

const GEMMA = { normsPerLayer: 4, tiedEmbeddings: true };
const GEMMA_2 = { ...GEMMA, vocab: 256000, maxContextTokens: 8192, window: { size: 4096, every: 2 } };
const GEMMA_3 = {
  ...GEMMA,
  vocab: 262208,
  qkNorm: true,
  maxContextTokens: 131072,
  window: { size: 1024, every: 6 },
};

const gemma2 = (size: string, parameters: number, figures: Omit<ShapeSketch, keyof typeof GEMMA_2>) =>
  model(`gemma-2-${size}`, `google/gemma-2-${size}`, parameters, { ...GEMMA_2, ...figures });
const gemma3 = (size: string, parameters: number, figures: Omit<ShapeSketch, 'vocab'> & Partial<ShapeSketch>) =>
  model(`gemma-3-${size}`, `google/gemma-3-${size}-pt`, parameters, { ...GEMMA_3, ...figures });

/**
 * Gemma 2 (arXiv 2408.00118) and the text part of Gemma 3 (arXiv 2503.19786; its table 1 gives the parameters of
 * 4b, 12b and 27b, rounded to millions, as embedding plus the rest).
 */
export const GEMMA_MODELS: readonly ModelEntry[] = [
  gemma2('2b', 2_614_341_888, { layers: 26, hidden: 2304, heads: 8, kvHeads: 4, headDim: 256, ffn: 9216 }),
  gemma2('9b', 9_241_705_984, { layers: 42, hidden: 3584, heads: 16, kvHeads: 8, headDim: 256, ffn: 14336 }),
  gemma2('27b', 27_227_128_320, { layers: 46, hidden: 4608, heads: 32, kvHeads: 16, headDim: 128, ffn: 36864 }),
  gemma3('1b', 999_885_952, {
    ...{ layers: 26, hidden: 1152, heads: 4, kvHeads: 1, headDim: 256, ffn: 6912, vocab: 262144 },
    maxContextTokens: 32768,
    window: { size: 512, every: 6 },
  }),
  gemma3('4b', 675e6 + 3209e6, { layers: 34, hidden: 2560, heads: 8, kvHeads: 4, headDim: 256, ffn: 10240 }),
  gemma3('12b', 1012e6 + 10_759e6, { layers: 48, hidden: 3840, heads: 16, kvHeads: 8, headDim: 256, ffn: 15360 }),
  gemma3('27b', 1416e6 + 25_600e6, { layers: 62, hidden: 5376, heads: 32, kvHeads: 16, headDim: 128, ffn: 21504 }),
];
