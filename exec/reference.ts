import { isWindowedLayer } from '../sim/model/quantities.ts';
import type { ModelShape } from '../sim/model/shape.ts';

// A decoder-only transformer in float64, written from its definition: slow, simple, and ignorant of plans. Vectors are rows; a matrix is
// inputs × outputs, row-major, so that y = x · W.

export interface LinearTensors {
  weight: Float64Array;
  bias?: Float64Array;
}

/** A layer norm where there is a bias, an RMS norm where there is none. */
export type NormTensors = LinearTensors;

export interface LayerTensors {
  query: LinearTensors;
  keys: LinearTensors;
  values: LinearTensors;
  out: LinearTensors;
  attentionNorm: NormTensors;
  feedForwardNorm: NormTensors;
  queryNorm?: NormTensors;
  keyNorm?: NormTensors;
  /** Gate and up, or up alone. */
  up: LinearTensors[];
  down: LinearTensors;
}

export interface ModelTensors {
  layers: LayerTensors[];
  /** vocab × hidden. */
  embedding: Float64Array;
  /** learnedPositions × hidden. */
  positions?: Float64Array;
  finalNorm: NormTensors;
  /** vocab × hidden. */
  head: Float64Array;
}

/** A decode of some steps behind `context` cached tokens. */
export interface ReferenceRequest {
  shape: ModelShape;
  tensors: ModelTensors;
  batch: number;
  microBatches: number;
  context: number;
  steps: number;
  ropeTheta: number;
  normEpsilon: number;
  /** Normalised inputs X of the cached tokens, [layer][microBatch], each token × batch × hidden. */
  cached: Float64Array[][];
}

/** What one layer makes of one micro-batch's token in one step; rows are sequences. */
export interface ReferenceBlock {
  /** Normalised input, batch × hidden. */
  x: Float64Array;
  /** batch × heads · headDim, with norm and rotary embedding as they are attended. */
  query: Float64Array;
  /** Output of the heads, batch × heads · headDim. */
  attended: Float64Array;
  /** Residual stream behind the layer, batch × hidden. */
  hidden: Float64Array;
}

export interface Reference {
  /** [step][layer][microBatch] */
  blocks: ReferenceBlock[][][];
  /** [step][microBatch], batch × vocab. */
  logits: Float64Array[][];
  /** Keys and values of the cached and the generated tokens, [layer][microBatch], each token × batch × kvHeads · headDim. */
  keys: Float64Array[][];
  values: Float64Array[][];
}

export function referenceDecode(request: ReferenceRequest): Reference {
  return new ReferenceDecode(request).run();
}

class ReferenceDecode {
  readonly #request: ReferenceRequest;
  /** [layer][microBatch][position], each batch × kvHeads · headDim. */
  readonly #keys: Float64Array[][][];
  readonly #values: Float64Array[][][];

  constructor(request: ReferenceRequest) {
    this.#request = request;
    const { batch, cached, context } = request;
    const { hidden } = request.shape;
    const rows = (x: Float64Array, position: number) =>
      x.subarray(position * batch * hidden, (position + 1) * batch * hidden);
    const perToken = (project: (x: Float64Array, layer: number, position: number) => Float64Array) =>
      cached.map((ofLayer, layer) =>
        ofLayer.map((x) =>
          Array.from({ length: context }, (_, position) => project(rows(x, position), layer, position)),
        ),
      );
    this.#keys = perToken((x, layer, position) => this.#keysOf(x, layer, position));
    this.#values = perToken((x, layer) => linear(x, request.tensors.layers[layer].values, hidden));
  }

  run(): Reference {
    const { context, steps, microBatches } = this.#request;
    const blocks: ReferenceBlock[][][] = [];
    const logits: Float64Array[][] = [];
    for (let step = 0; step < steps; step++) {
      const done = Array.from({ length: microBatches }, (_, j) => this.#token(j, context + step));
      blocks.push(this.#request.tensors.layers.map((_, layer) => done.map((token) => token.blocks[layer])));
      logits.push(done.map((token) => token.logits));
    }
    const joined = (cache: Float64Array[][][]) => cache.map((ofLayer) => ofLayer.map(concatenated));
    return { blocks, logits, keys: joined(this.#keys), values: joined(this.#values) };
  }

  #token(microBatch: number, position: number): { blocks: ReferenceBlock[]; logits: Float64Array } {
    const { tensors, shape } = this.#request;
    let hidden = this.#embedding(microBatch, position);
    const blocks = tensors.layers.map((_, layer) => {
      const block = this.#block(layer, microBatch, position, hidden);
      hidden = block.hidden;
      return block;
    });
    const last = this.#norm(hidden, tensors.finalNorm);
    return { blocks, logits: timesTransposed(last, tensors.head, shape.hidden) };
  }

  #embedding(microBatch: number, position: number): Float64Array {
    const { tensors, shape, batch } = this.#request;
    const { hidden, vocab, learnedPositions } = shape;
    const rows = Array.from({ length: batch }, (_, sequence) => {
      const token = drawnToken(vocab, microBatch, sequence, position);
      const row = tensors.embedding.slice(token * hidden, (token + 1) * hidden);
      if (!tensors.positions) return row;
      const at = position % learnedPositions;
      return plus(row, tensors.positions.subarray(at * hidden, (at + 1) * hidden));
    });
    return concatenated(rows);
  }

  #block(layer: number, microBatch: number, position: number, input: Float64Array): ReferenceBlock {
    const { shape, tensors } = this.#request;
    const { hidden, heads, headDim } = shape;
    const weights = tensors.layers[layer];
    const x = this.#norm(input, weights.attentionNorm);
    const query = this.#rotated(this.#headNorm(linear(x, weights.query, hidden), weights.queryNorm), position);
    this.#keys[layer][microBatch].push(this.#keysOf(x, layer, position));
    this.#values[layer][microBatch].push(linear(x, weights.values, hidden));
    const attended = this.#attended(layer, microBatch, position, query);
    const middle = plus(input, linear(attended, weights.out, heads * headDim));
    const inner = this.#inner(this.#norm(middle, weights.feedForwardNorm), weights.up);
    return { x, query, attended, hidden: plus(middle, linear(inner, weights.down, shape.ffn)) };
  }

  #keysOf(x: Float64Array, layer: number, position: number): Float64Array {
    const weights = this.#request.tensors.layers[layer];
    return this.#rotated(
      this.#headNorm(linear(x, weights.keys, this.#request.shape.hidden), weights.keyNorm),
      position,
    );
  }

  /** Softmax over all tokens up to this one, or over those in the layer's window, each head with the keys of its group. */
  #attended(layer: number, microBatch: number, position: number, query: Float64Array): Float64Array {
    const { shape, batch } = this.#request;
    const { heads, kvHeads, headDim, window } = shape;
    const first = window && isWindowedLayer(shape, layer) ? Math.max(0, position - window.size) : 0;
    const keys = this.#keys[layer][microBatch].slice(first);
    const values = this.#values[layer][microBatch].slice(first);
    const result = new Float64Array(batch * heads * headDim);
    for (let row = 0; row < batch * heads; row++) {
      const sequence = Math.floor(row / heads);
      const kvHead = Math.floor((row % heads) / (heads / kvHeads));
      const from = (sequence * kvHeads + kvHead) * headDim;
      const scores = keys.map((key) => {
        let product = 0;
        for (let i = 0; i < headDim; i++) product += query[row * headDim + i] * key[from + i];
        return product / Math.sqrt(headDim);
      });
      const largest = Math.max(...scores);
      const shares = scores.map((score) => Math.exp(score - largest));
      const sum = shares.reduce((total, share) => total + share, 0);
      values.forEach((value, token) => {
        for (let i = 0; i < headDim; i++) result[row * headDim + i] += (shares[token] / sum) * value[from + i];
      });
    }
    return result;
  }

  #inner(input: Float64Array, up: readonly LinearTensors[]): Float64Array {
    const [first, second] = up.map((panel) => linear(input, panel, this.#request.shape.hidden));
    if (!second) return first.map((value) => Math.max(0, value));
    return first.map((gate, i) => (gate / (1 + Math.exp(-gate))) * second[i]);
  }

  #norm(input: Float64Array, { weight, bias }: NormTensors): Float64Array {
    const width = weight.length;
    const result = new Float64Array(input.length);
    for (let row = 0; row < input.length; row += width) {
      const values = input.subarray(row, row + width);
      const mean = bias ? sum(values) / width : 0;
      const variance = sum(values.map((value) => (value - mean) ** 2)) / width;
      const scale = 1 / Math.sqrt(variance + this.#request.normEpsilon);
      for (let i = 0; i < width; i++) result[row + i] = (values[i] - mean) * scale * weight[i] + (bias?.[i] ?? 0);
    }
    return result;
  }

  /** Heads normalised one by one, where the model does that. */
  #headNorm(heads: Float64Array, norm: NormTensors | undefined): Float64Array {
    return norm ? this.#norm(heads, norm) : heads;
  }

  /** Rotary embedding (RoFormer; halves as in GPT-NeoX): (x_i, x_{i + d/2}) turns by position · θ^(−2i/d). */
  #rotated(heads: Float64Array, position: number): Float64Array {
    const { shape, ropeTheta } = this.#request;
    const { headDim, rotary } = shape;
    if (!rotary) return heads;
    const result = heads.slice();
    const half = headDim / 2;
    for (let head = 0; head < heads.length; head += headDim) {
      for (let i = 0; i < half; i++) {
        const angle = position * ropeTheta ** ((-2 * i) / headDim);
        const [x, y] = [heads[head + i], heads[head + half + i]];
        result[head + i] = x * Math.cos(angle) - y * Math.sin(angle);
        result[head + half + i] = x * Math.sin(angle) + y * Math.cos(angle);
      }
    }
    return result;
  }
}

/** The token that a sequence feeds into the step at a position: as native/core/random.h defines it. */
export function drawnToken(vocab: number, microBatch: number, sequence: number, position: number): number {
  const key = (BigInt(microBatch) << 52n) ^ (BigInt(sequence) << 32n) ^ BigInt(position);
  return Number(mixed(key) % BigInt(vocab));
}

/** SplitMix64. */
function mixed(value: bigint): bigint {
  let x = BigInt.asUintN(64, value + 0x9e3779b97f4a7c15n);
  x = BigInt.asUintN(64, (x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n);
  x = BigInt.asUintN(64, (x ^ (x >> 27n)) * 0x94d049bb133111ebn);
  return x ^ (x >> 31n);
}

/** Rows of `inputs` elements times the matrix, plus the bias. */
function linear(rows: Float64Array, { weight, bias }: LinearTensors, inputs: number): Float64Array {
  const outputs = weight.length / inputs;
  const count = rows.length / inputs;
  const result = new Float64Array(count * outputs);
  for (let row = 0; row < count; row++) {
    if (bias) result.set(bias, row * outputs);
    for (let i = 0; i < inputs; i++) {
      const value = rows[row * inputs + i];
      for (let o = 0; o < outputs; o++) result[row * outputs + o] += value * weight[i * outputs + o];
    }
  }
  return result;
}

/** Rows of `inputs` elements times a matrix that is outputs × inputs. */
function timesTransposed(rows: Float64Array, matrix: Float64Array, inputs: number): Float64Array {
  const outputs = matrix.length / inputs;
  return Float64Array.from({ length: (rows.length / inputs) * outputs }, (_, at) => {
    const row = Math.floor(at / outputs) * inputs;
    const column = (at % outputs) * inputs;
    let product = 0;
    for (let i = 0; i < inputs; i++) product += rows[row + i] * matrix[column + i];
    return product;
  });
}

function plus(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]);
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function concatenated(parts: readonly Float64Array[]): Float64Array {
  const result = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
