import type { ModelShape } from './shape.ts';

/** What every description of a model states; everything else has a usual value. */
export type ShapeSketch = Pick<ModelShape, 'layers' | 'hidden' | 'heads' | 'ffn' | 'vocab'> & Partial<ModelShape>;

/** Biases on every projection (OPT), or on none (LLaMA). */
export const ALL_BIASES = { qkv: true, out: true, ffn: true } as const;
export const NO_BIASES = { qkv: false, out: false, ffn: false } as const;

/** A shape whose unstated parts are LLaMA's: rotary positions, two RMS norms a layer, gated feed-forward, no biases. */
export function defineShape(name: string, sketch: ShapeSketch): ModelShape {
  return {
    kvHeads: sketch.heads,
    headDim: sketch.hidden / sketch.heads,
    gated: true,
    learnedPositions: 0,
    rotary: true,
    norm: 'rms',
    normsPerLayer: 2,
    qkNorm: false,
    bias: { ...NO_BIASES },
    tiedEmbeddings: false,
    embeddingProjection: 0,
    ...sketch,
    name,
  };
}
