import { ALL_BIASES, type ShapeSketch } from '../define-shape.ts';
import { type ModelEntry, model } from './entry.ts';

function opt(
  size: string,
  publishedParameters: number,
  [layers, hidden, heads]: [number, number, number],
  differing: Partial<ShapeSketch> = {},
): ModelEntry {
  return model(`opt-${size}`, `facebook/opt-${size}`, publishedParameters, {
    layers,
    hidden,
    heads,
    ffn: 4 * hidden,
    gated: false,
    vocab: 50272,
    // Positions count from 2.
    learnedPositions: 2050,
    rotary: false,
    norm: 'layer',
    bias: { ...ALL_BIASES },
    tiedEmbeddings: true,
    maxContextTokens: 2048,
    ...differing,
  });
}

const OPT_175B: ModelEntry = {
  ...opt('175b', 175e9, [96, 12288, 96]),
  // The weights are given on request only; there is no repository.
  source: 'OPT: Open Pre-trained Transformer Language Models (arXiv 2205.01068), table 1',
};

/** OPT (arXiv 2205.01068). Parameters of 66b and 175b are the paper's rounded ones. */
export const OPT: readonly ModelEntry[] = [
  opt('125m', 125_239_296, [12, 768, 12]),
  // The only one with a narrower embedding; it also lacks the final norm (2048 of its parameters here).
  opt('350m', 331_196_416, [24, 1024, 16], { embeddingProjection: 512 }),
  opt('1.3b', 1_315_758_080, [24, 2048, 32]),
  opt('2.7b', 2_651_596_800, [32, 2560, 32]),
  opt('6.7b', 6_658_473_984, [32, 4096, 32]),
  opt('13b', 12_853_473_280, [40, 5120, 40]),
  opt('30b', 29_974_540_288, [48, 7168, 56]),
  opt('66b', 66e9, [64, 9216, 72]),
  OPT_175B,
];
