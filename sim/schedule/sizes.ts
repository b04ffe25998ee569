import { kvElementsPerTokenPerLayer } from '../model/quantities.ts';
import type { ModelShape } from '../model/shape.ts';
import { bytesPerElement } from '../plan/plan.ts';
import type { Precisions } from '../scenario/scenario.ts';

/** Bytes of an element of each kind of tensor. */
export interface ElementBytes {
  weights: number;
  kv: number;
  activations: number;
}

export function elementBytes(precision: Precisions): ElementBytes {
  return {
    weights: bytesPerElement(precision.weights),
    kv: bytesPerElement(precision.kv),
    activations: bytesPerElement(precision.activations),
  };
}

/** Sizes per sequence and token that plans are made of, in elements. */
export interface Extents {
  /** Width of all query heads; with latent attention in the latent space that the cache lives in. */
  query: number;
  /** Width of all heads' outputs before the output projection, in the same space. */
  attended: number;
  /** Cached elements per token. */
  kv: number;
  /** Planes of the cache: K and V, or the one latent. */
  planes: number;
  /** What the projection of a new token yields: queries and its own K and V. */
  projected: number;
  /** FLOPs to attend one cached token. */
  attendFlops: number;
}

export function extentsOf(shape: ModelShape): Extents {
  const { heads, headDim, mla } = shape;
  const kv = kvElementsPerTokenPerLayer(shape);
  if (!mla) {
    const query = heads * headDim;
    return { query, attended: query, kv, planes: 2, projected: query + kv, attendFlops: 4 * query };
  }
  // Absorbed form: queries are moved into the latent space, so that the cached latent is attended as it is (DeepSeek-V2, section 2.1).
  const query = heads * (mla.kvRank + mla.ropeDim);
  const attended = heads * mla.kvRank;
  return { query, attended, kv, planes: 1, projected: query + kv, attendFlops: 2 * (query + attended) };
}

export const LOG_SUM_EXP_BYTES = 4;
export const LOGIT_BYTES = 4;

/** Bytes of one sequence's partial attention result: the heads' outputs and their log-sum-exps. */
export function partialResultBytes(shape: ModelShape, extent: Extents, size: ElementBytes): number {
  return extent.attended * size.activations + shape.heads * LOG_SUM_EXP_BYTES;
}

/** Bytes of one sequence's widest state inside the feed-forward part. */
export function ffnInnerBytes({ ffn, gated, moe }: ModelShape, size: ElementBytes): number {
  const width = Math.max(ffn, moe ? moe.active * moe.expertFfn : 0, moe?.sharedFfn ?? 0);
  return (gated ? 2 : 1) * width * size.activations;
}
