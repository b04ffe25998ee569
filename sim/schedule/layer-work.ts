import { expectedDistinctExperts } from '../model/quantities.ts';
import type { ModelShape } from '../model/shape.ts';
import { denseElements, endWeights, isMoeLayer, layerWeights } from '../model/weights.ts';
import { Kind, PRECISIONS } from '../plan/plan.ts';
import type { WorkBuilder } from '../plan/work-builder.ts';
import type { Precisions } from '../scenario/scenario.ts';
import { type ElementBytes, type Extents, elementBytes, extentsOf } from './sizes.ts';

/** Weight bytes of a layer by the copies that bring them when they are offloaded. */
export interface WeightBytes {
  kvProjection: number;
  /** All other weights that the layer holds. */
  rest: number;
  /** All other weights that a step touches: of routed experts only the distinct ones expected for the batch. */
  restUsed: number;
}

/**
 * Weight bytes of each layer.
 *
 * @param tokens tokens of a step that share one load of a layer's weights
 */
export function weightBytes(shape: ModelShape, tokens: number, perElement: number): WeightBytes[] {
  const known = lastWeightBytes.get(shape);
  if (known?.tokens === tokens && known.perElement === perElement) return known.bytes;
  // Layers differ only in their feed-forward part: two kinds at most.
  const kinds = [false, true].map((moe) => {
    const layer = Array.from({ length: shape.layers }, (_, i) => i).find((i) => isMoeLayer(shape, i) === moe);
    return layer === undefined ? undefined : layerBytes(shape, layer, tokens, perElement);
  });
  const bytes = Array.from({ length: shape.layers }, (_, layer) => kinds[Number(isMoeLayer(shape, layer))]!);
  lastWeightBytes.set(shape, { tokens, perElement, bytes });
  return bytes;
}

/** A search asks for the same model's weights thousands of times. */
const lastWeightBytes = new WeakMap<ModelShape, { tokens: number; perElement: number; bytes: WeightBytes[] }>();

function layerBytes(shape: ModelShape, layer: number, tokens: number, perElement: number): WeightBytes {
  const weights = layerWeights(shape, layer);
  const dense = denseElements(weights);
  const { moe } = shape;
  const distinct = moe && weights.experts > 0 ? expectedDistinctExperts(moe.experts, moe.active, tokens) : 0;
  return {
    kvProjection: weights.kvProjection * perElement,
    rest: (dense + weights.experts * weights.routedExpert) * perElement,
    // Copies and buffers are whole bytes; an expectation is not.
    restUsed: Math.ceil((dense + distinct * weights.routedExpert) * perElement),
  };
}

/** Weight bytes outside the layers. They stay on the GPU wherever the layers' weights live. */
export function endWeightBytes(shape: ModelShape, perElement: number): number {
  const { embedding, head, finalNorm } = endWeights(shape);
  return (embedding + head + finalNorm) * perElement;
}

/** Rows of work of one decode step that do not depend on the context; one micro-batch of `batch` sequences. */
export interface DenseWork {
  embed: number;
  norm: number;
  /** Projection of queries and of the new token's K and V. */
  project: number[];
  qkNorm: number;
  rope: number;
  append: number;
  /** Output projection. */
  out: number[];
  /** Feed-forward part by kind of layer. */
  denseFfn: number[];
  moeFfn: number[];
  merge: number;
  head: number[];
}

const dtypeOf = (precision: Precisions) => PRECISIONS.indexOf(precision.activations);

/** Adds kernels' work to a builder: bytes are HBM traffic; element-wise kernels count no FLOPs, memory is what limits them. */
export class LayerWork {
  readonly #builder: WorkBuilder;
  readonly #shape: ModelShape;
  readonly #batch: number;
  readonly #dtype: number;
  readonly #size: ElementBytes;
  readonly #extent: Extents;

  constructor(builder: WorkBuilder, shape: ModelShape, batch: number, precision: Precisions) {
    this.#builder = builder;
    this.#shape = shape;
    this.#batch = batch;
    this.#dtype = dtypeOf(precision);
    this.#size = elementBytes(precision);
    this.#extent = extentsOf(shape);
  }

  copy(kind: number, rows: number, rowBytes: number): number {
    return this.#builder.add(kind, this.#dtype, rows, rowBytes, 0, 1, 0, rows * rowBytes);
  }

  stepEnd(): number {
    return this.#builder.add(Kind.stepEnd, this.#dtype, 0, 0, 0, 0, 0, 0);
  }

  /** Projection of K and V for `tokens` cached tokens of every sequence: reads X and weights, writes KV. */
  recompute(tokens: number): number {
    const { kv, planes } = this.#extent;
    const m = tokens * this.#batch;
    const { hidden } = this.#shape;
    const bytes = m * hidden * this.#size.activations + hidden * kv * this.#size.weights + m * kv * this.#size.kv;
    return this.#builder.add(Kind.gemm, this.#dtype, m, kv / planes, hidden, planes, 2 * m * hidden * kv, bytes);
  }

  /** Rotary embedding of recomputed keys, or the norm of recomputed key heads or latents: reads and writes them in place. */
  recomputedKeys(kind: number, tokens: number): number {
    const { kv, planes } = this.#extent;
    const { mla } = this.#shape;
    const width = mla ? (kind === Kind.rope ? mla.ropeDim : mla.kvRank) : kv / planes;
    return this.#elementwise(kind, 2 * tokens * width, this.#size.kv, tokens);
  }

  /** Attention of the new token to `tokens` tokens (itself included) in GPU memory. */
  attend(tokens: number): number {
    const { query, attended, kv, attendFlops } = this.#extent;
    const bytes = this.#batch * (tokens * kv * this.#size.kv + (query + attended) * this.#size.activations);
    const { heads, headDim } = this.#shape;
    const flops = this.#batch * tokens * attendFlops;
    return this.#builder.add(Kind.attend, this.#dtype, this.#batch * heads, headDim, tokens, 1, flops, bytes);
  }

  /** Attention to `tokens` cached tokens by the host's cores. */
  hostAttend(tokens: number): number {
    const { kv, attendFlops } = this.#extent;
    const { heads, headDim } = this.#shape;
    const bytes = this.#batch * tokens * kv * this.#size.kv;
    const flops = this.#batch * tokens * attendFlops;
    return this.#builder.add(Kind.hostAttend, this.#dtype, this.#batch * heads, headDim, tokens, 1, flops, bytes);
  }

  dense(): DenseWork {
    const { hidden, vocab, moe, mla, heads, headDim } = this.#shape;
    const { query, attended, kv, planes } = this.#extent;
    const hiddenNorm = this.#elementwise(Kind.norm, 2 * hidden, this.#size.activations);
    const project: number[] = [];
    const out: number[] = [];
    if (mla) {
      const perHead = mla.nopeDim + mla.ropeDim;
      const compressed = mla.qRank || heads * perHead;
      project.push(this.#gemm(compressed + mla.kvRank + mla.ropeDim, hidden));
      project.push(this.#elementwise(Kind.norm, 2 * (mla.qRank + mla.kvRank), this.#size.activations));
      if (mla.qRank) project.push(this.#gemm(heads * perHead, mla.qRank));
      project.push(this.#gemm(mla.kvRank, mla.nopeDim, heads));
      out.push(this.#gemm(mla.vDim, mla.kvRank, heads), this.#gemm(hidden, heads * mla.vDim));
    } else {
      project.push(this.#gemm(query + kv, hidden));
      out.push(this.#gemm(hidden, heads * headDim));
    }
    return {
      embed: this.#elementwise(Kind.embed, 2 * hidden, this.#size.activations),
      norm: hiddenNorm,
      project,
      qkNorm: this.#elementwise(Kind.norm, 2 * (query + kv / planes), this.#size.activations),
      rope: this.#elementwise(
        Kind.rope,
        2 * (mla ? (heads + 1) * mla.ropeDim : query + kv / planes),
        this.#size.activations,
      ),
      append: this.#elementwise(Kind.append, 3 * kv, this.#size.kv),
      out,
      denseFfn: this.#ffn(this.#shape.ffn),
      moeFfn: moe ? this.#moeFfn() : [],
      // Two partial outputs with their log-sum-exps in, one out.
      merge: this.#elementwise(Kind.merge, 3 * attended, this.#size.activations),
      head: [hiddenNorm, this.#gemm(vocab, this.#shape.embeddingProjection || hidden)],
    };
  }

  #ffn(width: number): number[] {
    const { hidden, gated } = this.#shape;
    return [
      this.#gemm(gated ? 2 * width : width, hidden),
      this.#elementwise(Kind.activation, (gated ? 3 : 2) * width, this.#size.activations),
      this.#gemm(hidden, width),
    ];
  }

  /** Router, the distinct experts that the batch is expected to reach as grouped GEMMs, and the shared experts. */
  #moeFfn(): number[] {
    const { hidden, gated, moe } = this.#shape;
    if (!moe) return [];
    const { experts, active, expertFfn, sharedFfn } = moe;
    const distinct = expectedDistinctExperts(experts, active, this.#batch);
    const rows = (this.#batch * active) / distinct;
    return [
      this.#gemm(experts, hidden),
      this.#gemm(gated ? 2 * expertFfn : expertFfn, hidden, distinct, rows),
      this.#elementwise(Kind.activation, active * (gated ? 3 : 2) * expertFfn, this.#size.activations),
      this.#gemm(hidden, expertFfn, distinct, rows),
      ...(sharedFfn ? this.#ffn(sharedFfn) : []),
    ];
  }

  /** rows × n × k GEMM with a weight matrix (k × n), `batch` of them. */
  #gemm(n: number, k: number, batch = 1, rows = this.#batch): number {
    const bytes = batch * (rows * (n + k) * this.#size.activations + n * k * this.#size.weights);
    return this.#builder.add(Kind.gemm, this.#dtype, rows, n, k, batch, 2 * batch * rows * n * k, bytes);
  }

  /** @param elements per sequence, reads and writes together */
  #elementwise(kind: number, elements: number, size: number, tokens = 1): number {
    return this.#builder.add(kind, this.#dtype, this.#batch, elements, tokens, 1, 0, this.#batch * elements * size);
  }
}
