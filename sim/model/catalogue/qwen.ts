import type { ShapeSketch } from '../define-shape.ts';
import { type ModelEntry, model } from './entry.ts';

type Figures = Pick<ShapeSketch, 'layers' | 'hidden' | 'heads' | 'kvHeads' | 'ffn'>;

const QWEN_25 = { bias: { qkv: true, out: false, ffn: false } };
const QWEN_25_SMALL = { ...QWEN_25, vocab: 151936, tiedEmbeddings: true, maxContextTokens: 32768 };
const QWEN_25_LARGE = { ...QWEN_25, vocab: 152064, maxContextTokens: 131072 };
const QWEN_3 = { headDim: 128, vocab: 151936, qkNorm: true, maxContextTokens: 40960 };

const qwen25 = (size: string, parameters: number, family: Omit<ShapeSketch, keyof Figures>, figures: Figures) =>
  model(`qwen2.5-${size}`, `Qwen/Qwen2.5-${size.toUpperCase()}`, parameters, { ...family, ...figures });
const qwen3 = (size: string, parameters: number, figures: Figures & Partial<ShapeSketch>) =>
  model(`qwen3-${size}`, `Qwen/Qwen3-${size.toUpperCase()}`, parameters, { ...QWEN_3, ...figures });
/** Routed experts of which every token uses eight, in all layers. */
const eightOf128 = (expertFfn: number) => ({ experts: 128, active: 8, expertFfn, sharedFfn: 0, denseLayers: 0 });

/** Qwen1.5-MoE, Qwen2.5 (arXiv 2412.15115) and Qwen3 (arXiv 2505.09388). */
export const QWEN: readonly ModelEntry[] = [
  model('qwen1.5-moe-a2.7b', 'Qwen/Qwen1.5-MoE-A2.7B', 14_315_784_192, {
    ...{ layers: 24, hidden: 2048, heads: 16, ffn: 5632, vocab: 151936, maxContextTokens: 8192 },
    bias: { qkv: true, out: false, ffn: false },
    moe: { experts: 60, active: 4, expertFfn: 1408, sharedFfn: 5632, denseLayers: 0 },
  }),
  qwen25('0.5b', 494_032_768, QWEN_25_SMALL, { layers: 24, hidden: 896, heads: 14, kvHeads: 2, ffn: 4864 }),
  qwen25('1.5b', 1_543_714_304, QWEN_25_SMALL, { layers: 28, hidden: 1536, heads: 12, kvHeads: 2, ffn: 8960 }),
  qwen25('3b', 3_085_938_688, QWEN_25_SMALL, { layers: 36, hidden: 2048, heads: 16, kvHeads: 2, ffn: 11008 }),
  qwen25('7b', 7_615_616_512, QWEN_25_LARGE, { layers: 28, hidden: 3584, heads: 28, kvHeads: 4, ffn: 18944 }),
  qwen25('14b', 14_770_033_664, QWEN_25_LARGE, { layers: 48, hidden: 5120, heads: 40, kvHeads: 8, ffn: 13824 }),
  qwen25('32b', 32_763_876_352, QWEN_25_LARGE, { layers: 64, hidden: 5120, heads: 40, kvHeads: 8, ffn: 27648 }),
  qwen25('72b', 72_706_203_648, QWEN_25_LARGE, { layers: 80, hidden: 8192, heads: 64, kvHeads: 8, ffn: 29568 }),
  qwen3('0.6b', 596_049_920, { layers: 28, hidden: 1024, heads: 16, kvHeads: 8, ffn: 3072, tiedEmbeddings: true }),
  qwen3('1.7b', 1_720_574_976, { layers: 28, hidden: 2048, heads: 16, kvHeads: 8, ffn: 6144, tiedEmbeddings: true }),
  qwen3('4b', 4_022_468_096, { layers: 36, hidden: 2560, heads: 32, kvHeads: 8, ffn: 9728, tiedEmbeddings: true }),
  qwen3('8b', 8_190_735_360, { layers: 36, hidden: 4096, heads: 32, kvHeads: 8, ffn: 12288 }),
  qwen3('14b', 14_768_307_200, { layers: 40, hidden: 5120, heads: 40, kvHeads: 8, ffn: 17408 }),
  qwen3('32b', 32_762_123_264, { layers: 64, hidden: 5120, heads: 64, kvHeads: 8, ffn: 25600 }),
  qwen3('30b-a3b', 30_532_122_624, {
    ...{ layers: 48, hidden: 2048, heads: 32, kvHeads: 4, ffn: 6144 },
    moe: eightOf128(768),
  }),
  qwen3('235b-a22b', 235_093_634_560, {
    ...{ layers: 94, hidden: 4096, heads: 64, kvHeads: 4, ffn: 12288 },
    moe: eightOf128(1536),
  }),
];
