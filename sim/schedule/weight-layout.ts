import type { ModelShape } from '../model/shape.ts';
import { isMoeLayer } from '../model/weights.ts';

/** A tensor in a buffer of weights, in elements. */
export interface WeightPart {
  offset: number;
  elements: number;
}

/** A matrix (inputs × outputs) with its bias, which may be absent. */
export interface Linear {
  weight: WeightPart;
  bias?: WeightPart;
}

/** A norm's scale and, for a layer norm, its shift. */
type NormPart = Linear;

/** Where a layer's tensors lie. What kernels do not address tensor by tensor is left out: latent attention and routed experts. */
export interface LayerLayout {
  /** In the buffer that recomputation needs; the others are in the rest. */
  keys?: Linear;
  values?: Linear;
  query?: Linear;
  out?: Linear;
  norms: NormPart[];
  queryNorm?: NormPart;
  keyNorm?: NormPart;
  /** Gate and up, or up alone. */
  up?: Linear[];
  down?: Linear;
}

/** The tensors outside the layers, in their one buffer. */
export interface EndLayout {
  /** vocab × width; also the head's matrix where the two are tied. */
  embedding: WeightPart;
  positions?: WeightPart;
  finalNorm: NormPart;
  /** vocab × width. */
  head: WeightPart;
}

/** Hands out consecutive parts of a buffer. */
class Allocator {
  #next = 0;

  part(elements: number): WeightPart {
    const offset = this.#next;
    this.#next += elements;
    return { offset, elements };
  }

  linear(inputs: number, outputs: number, bias: boolean): Linear {
    const weight = this.part(inputs * outputs);
    return bias ? { weight, bias: this.part(outputs) } : { weight };
  }

  norm({ hidden, norm }: ModelShape): NormPart {
    const weight = this.part(hidden);
    return norm === 'layer' ? { weight, bias: this.part(hidden) } : { weight };
  }
}

/** Layout of a layer (from 0); sums agree with `layerWeights`. */
export function layerLayout(shape: ModelShape, layer: number): LayerLayout {
  const { hidden, heads, kvHeads, headDim, ffn, gated, bias } = shape;
  if (shape.mla) return { norms: [] };
  const projection = new Allocator();
  // Both matrices first, so that they are one batched GEMM.
  const keys = projection.linear(hidden, kvHeads * headDim, false);
  const values = projection.linear(hidden, kvHeads * headDim, false);
  if (bias.qkv) {
    keys.bias = projection.part(kvHeads * headDim);
    values.bias = projection.part(kvHeads * headDim);
  }
  const rest = new Allocator();
  const attention = {
    keys,
    values,
    query: rest.linear(hidden, heads * headDim, bias.qkv),
    out: rest.linear(heads * headDim, hidden, bias.out),
    norms: Array.from({ length: shape.normsPerLayer }, () => rest.norm(shape)),
    ...(shape.qkNorm && { queryNorm: { weight: rest.part(headDim) }, keyNorm: { weight: rest.part(headDim) } }),
  };
  if (isMoeLayer(shape, layer)) return attention;
  return {
    ...attention,
    up: Array.from({ length: gated ? 2 : 1 }, () => rest.linear(hidden, ffn, bias.ffn)),
    down: rest.linear(ffn, hidden, bias.ffn),
  };
}

export function endLayout(shape: ModelShape): EndLayout {
  const { vocab, hidden, learnedPositions, tiedEmbeddings } = shape;
  const width = shape.embeddingProjection || hidden;
  const parts = new Allocator();
  const embedding = parts.part(vocab * width);
  const positions = learnedPositions > 0 ? { positions: parts.part(learnedPositions * hidden) } : {};
  if (shape.embeddingProjection) parts.part(2 * width * hidden);
  const finalNorm = parts.norm(shape);
  return { embedding, ...positions, finalNorm, head: tiedEmbeddings ? embedding : parts.part(vocab * width) };
}
