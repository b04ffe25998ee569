import { type ModelEntry, model } from './entry.ts';

const LLAMA_2 = { vocab: 32000, maxContextTokens: 4096 };
const LLAMA_3 = { kvHeads: 8, vocab: 128256, maxContextTokens: 131072 };
const llama2 = (size: string) => [`llama-2-${size}`, `meta-llama/Llama-2-${size}-hf`] as const;
const llama3 = (version: string, size: string) =>
  [`llama-${version}-${size}`, `meta-llama/Llama-${version}-${size.toUpperCase()}`] as const;

/** LLaMA 2 (arXiv 2307.09288), Llama 3.1 and 3.2 (arXiv 2407.21783). */
export const LLAMA: readonly ModelEntry[] = [
  model(...llama2('7b'), 6_738_415_616, { ...LLAMA_2, layers: 32, hidden: 4096, heads: 32, ffn: 11008 }),
  model(...llama2('13b'), 13_015_864_320, { ...LLAMA_2, layers: 40, hidden: 5120, heads: 40, ffn: 13824 }),
  model(...llama2('70b'), 68_976_648_192, { ...LLAMA_2, layers: 80, hidden: 8192, heads: 64, kvHeads: 8, ffn: 28672 }),
  model(...llama3('3.1', '8b'), 8_030_261_248, { ...LLAMA_3, layers: 32, hidden: 4096, heads: 32, ffn: 14336 }),
  model(...llama3('3.1', '70b'), 70_553_706_496, { ...LLAMA_3, layers: 80, hidden: 8192, heads: 64, ffn: 28672 }),
  model(...llama3('3.1', '405b'), 405_853_388_800, { ...LLAMA_3, layers: 126, hidden: 16384, heads: 128, ffn: 53248 }),
  model(...llama3('3.2', '1b'), 1_235_814_400, {
    ...LLAMA_3,
    layers: 16,
    hidden: 2048,
    heads: 32,
    ffn: 8192,
    tiedEmbeddings: true,
  }),
  model(...llama3('3.2', '3b'), 3_212_749_824, {
    ...LLAMA_3,
    layers: 28,
    hidden: 3072,
    heads: 24,
    ffn: 8192,
    tiedEmbeddings: true,
  }),
];
