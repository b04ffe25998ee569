import type { ModelShape } from './shape.ts';
import { activeParameterCount, parameterCount } from './weights.ts';

const FP16_BYTES = 2;

/** Cached elements of one token in one layer: 2·kvHeads·headDim, with latent attention kvRank + ropeDim. */
export function kvElementsPerTokenPerLayer({ kvHeads, headDim, mla }: ModelShape): number {
  return mla ? mla.kvRank + mla.ropeDim : 2 * kvHeads * headDim;
}

/** Cached bytes of one token in all layers: layers · kvElementsPerTokenPerLayer · 2 bytes, at fp16. */
export function kvBytesPerToken(shape: ModelShape): number {
  return shape.layers * kvElementsPerTokenPerLayer(shape) * FP16_BYTES;
}

/**
 * FLOPs to project what is cached of one token in one layer from its activation: 2·hidden per cached element,
 * that is 4·hidden·kvHeads·headDim, with latent attention 2·hidden·(kvRank + ropeDim).
 */
export function recomputeFlopsPerTokenPerLayer(shape: ModelShape): number {
  return 2 * shape.hidden * kvElementsPerTokenPerLayer(shape);
}

/** Whether the layer (from 0) attends only the last `window.size` tokens: all but every `window.every`-th one. */
export function isWindowedLayer({ window }: ModelShape, layer: number): boolean {
  return window !== undefined && (window.every === 0 || (layer + 1) % window.every !== 0);
}

/**
 * Distinct experts that `tokens` tokens reach in one layer, each choosing `active` of `experts` evenly and
 * independently: experts · (1 − (1 − active/experts)^tokens).
 */
export function expectedDistinctExperts(experts: number, active: number, tokens: number): number {
  return experts * (1 - (1 - active / experts) ** tokens);
}

/** A model as `models --json` and `plan --json` show it; bytes at fp16. */
export interface ModelSummary {
  name: string;
  parameters: number;
  activeParameters: number;
  layers: number;
  kvBytesPerToken: number;
  kvBytesPerTokenPerLayer: number;
  activationBytesPerTokenPerLayer: number;
  recomputeFlopsPerTokenPerLayer: number;
}

/** The figures by which models are compared; bytes at fp16. */
export function summariseModel(shape: ModelShape): ModelSummary {
  return {
    name: shape.name,
    parameters: parameterCount(shape),
    activeParameters: activeParameterCount(shape),
    layers: shape.layers,
    kvBytesPerToken: kvBytesPerToken(shape),
    kvBytesPerTokenPerLayer: FP16_BYTES * kvElementsPerTokenPerLayer(shape),
    activationBytesPerTokenPerLayer: FP16_BYTES * shape.hidden,
    recomputeFlopsPerTokenPerLayer: recomputeFlopsPerTokenPerLayer(shape),
  };
}
