import type { ModelShape } from './shape.ts';

/** Weight elements of one layer by part, biases included in the part they belong to. Parts a layer lacks are 0. */
export interface LayerWeights {
  /** What recomputation needs: W_K and W_V; with latent attention the joint down-projection to kvRank + ropeDim. */
  kvProjection: number;
  /** W_Q; with a compressed query its down- and up-projection. */
  queryProjection: number;
  /** Latent attention's up-projection from the latent to every head's key and value. */
  kvExpansion: number;
  outputProjection: number;
  /** The dense feed-forward part. */
  denseFfn: number;
  /** One routed expert. */
  routedExpert: number;
  /** Routed experts in the layer. */
  experts: number;
  /** The experts that every token uses, together. */
  sharedFfn: number;
  router: number;
  /** Norms on the hidden width, on query and key heads, and on latents. */
  norms: number;
}

/** Whether the layer (from 0) has routed experts instead of a dense feed-forward part. */
export function isMoeLayer({ moe }: ModelShape, layer: number): boolean {
  return moe !== undefined && layer >= moe.denseLayers;
}

/** Weight elements of the layer (from 0). */
export function layerWeights(shape: ModelShape, layer: number): LayerWeights {
  const { hidden, moe, bias } = shape;
  const routed = moe && isMoeLayer(shape, layer) ? moe : undefined;
  return {
    ...attentionWeights(shape),
    denseFfn: routed ? 0 : ffnWeights(shape, shape.ffn),
    routedExpert: routed ? ffnWeights(shape, routed.expertFfn) : 0,
    experts: routed ? routed.experts : 0,
    sharedFfn: routed?.sharedFfn ? ffnWeights(shape, routed.sharedFfn) : 0,
    router: routed ? linear(hidden, routed.experts, bias.ffn) : 0,
    norms: normWeights(shape),
  };
}

/** Elements that every token passes outside the K and V projection and the routed experts. */
export function denseElements(weights: LayerWeights): number {
  return (
    weights.queryProjection +
    weights.kvExpansion +
    weights.outputProjection +
    weights.denseFfn +
    weights.sharedFfn +
    weights.router +
    weights.norms
  );
}

/** Elements outside the layers by part. */
export interface EndWeights {
  /** Token embedding, learned positions and the projection between embedding and hidden width. */
  embedding: number;
  /** The output head's own matrix, 0 where it shares the embedding's. */
  head: number;
  finalNorm: number;
}

/** Weight elements before the first and after the last layer. */
export function endWeights(shape: ModelShape): EndWeights {
  const { vocab, hidden, learnedPositions, embeddingProjection } = shape;
  const width = embeddingProjection || hidden;
  const projections = embeddingProjection ? 2 * embeddingProjection * hidden : 0;
  return {
    embedding: vocab * width + learnedPositions * hidden + projections,
    head: shape.tiedEmbeddings ? 0 : vocab * width,
    finalNorm: hiddenNorm(shape),
  };
}

/** Parameters of the model: layers with all experts, embeddings, output head unless tied, final norm. */
export function parameterCount(shape: ModelShape): number {
  return countParameters(shape, (weights) => weights.experts);
}

/** Parameters that one token passes: as parameterCount, with `active` experts in each MoE layer. */
export function activeParameterCount(shape: ModelShape): number {
  const active = shape.moe?.active ?? 0;
  return countParameters(shape, (weights) => Math.min(active, weights.experts));
}

function countParameters(shape: ModelShape, usedExperts: (weights: LayerWeights) => number): number {
  const { embedding, head, finalNorm } = endWeights(shape);
  let total = embedding + head + finalNorm;
  for (let layer = 0; layer < shape.layers; layer++) {
    const weights = layerWeights(shape, layer);
    total += weights.kvProjection + denseElements(weights) + usedExperts(weights) * weights.routedExpert;
  }
  return total;
}

type AttentionWeights = Pick<LayerWeights, 'kvProjection' | 'queryProjection' | 'kvExpansion' | 'outputProjection'>;

function attentionWeights({ hidden, heads, kvHeads, headDim, bias, mla }: ModelShape): AttentionWeights {
  if (!mla) {
    return {
      kvProjection: linear(hidden, 2 * kvHeads * headDim, bias.qkv),
      queryProjection: linear(hidden, heads * headDim, bias.qkv),
      kvExpansion: 0,
      outputProjection: linear(heads * headDim, hidden, bias.out),
    };
  }
  const { kvRank, ropeDim, qRank, nopeDim, vDim } = mla;
  const queryWidth = heads * (nopeDim + ropeDim);
  return {
    kvProjection: linear(hidden, kvRank + ropeDim, bias.qkv),
    queryProjection: qRank ? linear(hidden, qRank, bias.qkv) + qRank * queryWidth : hidden * queryWidth,
    kvExpansion: kvRank * heads * (nopeDim + vDim),
    outputProjection: linear(heads * vDim, hidden, bias.out),
  };
}

function ffnWeights({ hidden, gated, bias }: ModelShape, width: number): number {
  return linear(hidden, gated ? 2 * width : width, bias.ffn) + linear(width, hidden, bias.ffn);
}

function normWeights(shape: ModelShape): number {
  const heads = shape.qkNorm ? 2 * shape.headDim : 0;
  const latents = shape.mla ? shape.mla.qRank + shape.mla.kvRank : 0;
  return shape.normsPerLayer * hiddenNorm(shape) + heads + latents;
}

/** A layer norm scales and shifts, an RMS norm only scales. */
function hiddenNorm({ hidden, norm }: ModelShape): number {
  return norm === 'layer' ? 2 * hidden : hidden;
}

function linear(inputs: number, outputs: number, bias: boolean): number {
  return inputs * outputs + (bias ? outputs : 0);
}
