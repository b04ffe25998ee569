import { describe, expect, it } from 'vitest';
import { drawnToken, type LinearTensors, type ReferenceRequest, referenceDecode } from '../../exec/reference.ts';
import { defineShape } from '../../sim/model/define-shape.ts';
import type { ModelShape } from '../../sim/model/shape.ts';

/** Numbers that look random and are the same every time. */
function numbers(count: number, seed: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 1.3);
}

const SKETCH = { layers: 2, hidden: 8, heads: 4, kvHeads: 2, headDim: 4, ffn: 6, vocab: 11 };

function requestOf(changes: Partial<ModelShape> = {}): ReferenceRequest {
  const shape = defineShape('small', { ...SKETCH, ...changes });
  const { hidden, heads, kvHeads, headDim, ffn, vocab, layers, gated, bias } = shape;
  let seed = 1;
  const linear = (inputs: number, outputs: number, biased: boolean): LinearTensors => ({
    weight: numbers(inputs * outputs, seed++),
    ...(biased && { bias: numbers(outputs, seed++) }),
  });
  const norm = () => ({ weight: numbers(hidden, seed++) });
  return {
    shape,
    tensors: {
      layers: Array.from({ length: layers }, () => ({
        query: linear(hidden, heads * headDim, bias.qkv),
        keys: linear(hidden, kvHeads * headDim, bias.qkv),
        values: linear(hidden, kvHeads * headDim, bias.qkv),
        out: linear(heads * headDim, hidden, bias.out),
        attentionNorm: norm(),
        feedForwardNorm: norm(),
        up: Array.from({ length: gated ? 2 : 1 }, () => linear(hidden, ffn, bias.ffn)),
        down: linear(ffn, hidden, bias.ffn),
      })),
      embedding: numbers(vocab * hidden, 90),
      finalNorm: norm(),
      head: numbers(vocab * hidden, 91),
    },
    batch: 2,
    microBatches: 1,
    context: 5,
    steps: 2,
    ropeTheta: 10_000,
    normEpsilon: 1e-5,
    cached: Array.from({ length: layers }, (_, layer) => [numbers(5 * 2 * hidden, 50 + layer)]),
  };
}

const near = (found: ArrayLike<number>, expected: ArrayLike<number>) => {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < found.length; i++) expect(found[i]).toBeCloseTo(expected[i], 10);
};

describe('the float64 reference', () => {
  it('draws tokens from SplitMix64', () => {
    // 0xe220a8397b1dcdaf is the first output of SplitMix64 seeded with 0.
    expect(drawnToken(1_000_003, 0, 0, 0)).toBe(Number(0xe220a8397b1dcdafn % 1_000_003n));
    const tokens = [drawnToken(50_000, 1, 0, 0), drawnToken(50_000, 0, 1, 0), drawnToken(50_000, 0, 0, 1)];
    expect(new Set(tokens).size).toBe(3);
  });

  it('attends with the mean of all values, the new one among them, where queries are zero', () => {
    const request = requestOf();
    for (const layer of request.tensors.layers) layer.query.weight.fill(0);
    const { blocks, values } = referenceDecode(request);
    const width = 2 * 2 * 4;
    const mean = (at: number) => {
      let sum = 0;
      for (let token = 0; token < 6; token++) sum += values[1][0][token * width + at];
      return sum / 6;
    };
    // Query heads 0 and 1 of sequence 1 share its key-value head 0, heads 2 and 3 head 1.
    const { attended } = blocks[0][1][0];
    const sequence = 16;
    for (let i = 0; i < 4; i++) {
      expect(attended[sequence + i]).toBeCloseTo(mean(8 + i), 12);
      expect(attended[sequence + 4 + i]).toBeCloseTo(mean(8 + i), 12);
      expect(attended[sequence + 12 + i]).toBeCloseTo(mean(12 + i), 12);
    }
  });

  it('attends only the last tokens in windowed layers', () => {
    const request = requestOf({ window: { size: 2, every: 2 } });
    // The first block in which tokens up to `end` of the five in the caches are others.
    const withOthers = (end: number) => {
      const cached = request.cached.map(([x]) => [Float64Array.from(x, (value, i) => (i < end * 2 * 8 ? 0.5 : value))]);
      return referenceDecode({ ...request, cached }).blocks[0].map(([{ attended }]) => attended);
    };
    const [none, before, inside] = [0, 3, 4].map(withOthers);
    // Layer 0 sees the last two, layer 1 all.
    expect(before[0]).toEqual(none[0]);
    expect(inside[0]).not.toEqual(none[0]);
    expect(before[1]).not.toEqual(none[1]);
  });

  it('turns heads so that scores depend on distances between positions alone', () => {
    const request = requestOf();
    const { hidden } = request.shape;
    // The same X at every position: keys differ only by their rotation.
    request.cached = request.cached.map(([x]) => [x.map((_, i) => x[i % (2 * hidden)])]);
    const { keys } = referenceDecode(request);
    const key = (position: number) => keys[0][0].subarray(position * 16, position * 16 + 4);
    const product = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
    expect(product(key(0), key(2))).toBeCloseTo(product(key(2), key(4)), 12);
    expect(product(key(0), key(2))).not.toBeCloseTo(product(key(0), key(4)), 3);
    // Position 0 is not turned; at position 1 the first pair, elements 0 and 2, turns by one radian.
    const [x, y] = [key(0)[0], key(0)[2]];
    near([key(1)[0], key(1)[2]], [x * Math.cos(1) - y * Math.sin(1), x * Math.sin(1) + y * Math.cos(1)]);
  });

  it('shares key-value heads as if each were repeated for its query heads', () => {
    const request = requestOf({ rotary: false });
    const repeated = { ...request, shape: { ...request.shape, kvHeads: 4 } };
    const copied = ({ weight }: LinearTensors): LinearTensors => ({
      weight: Float64Array.from({ length: 8 * 16 }, (_, at) => {
        const [row, column] = [Math.floor(at / 16), at % 16];
        return weight[row * 8 + Math.floor(column / 8) * 4 + (column % 4)];
      }),
    });
    repeated.tensors = {
      ...request.tensors,
      layers: request.tensors.layers.map((layer) => ({
        ...layer,
        keys: copied(layer.keys),
        values: copied(layer.values),
      })),
    };
    near(referenceDecode(repeated).logits[1][0], referenceDecode(request).logits[1][0]);
  });

  it('normalises by mean and variance with a bias, by the mean square without', () => {
    const request = requestOf();
    const first = request.tensors.layers[0];
    first.attentionNorm.weight.fill(1);
    const square = (x: Float64Array) => x.reduce((sum, value) => sum + value * value, 0) / x.length;
    const x = () => referenceDecode(request).blocks[0][0][0].x.subarray(0, 8);
    expect(square(x())).toBeCloseTo(1, 3);
    expect(x().reduce((sum, value) => sum + value, 0)).not.toBeCloseTo(0, 1);
    first.attentionNorm.bias = new Float64Array(8).fill(3);
    expect(x().reduce((sum, value) => sum + value, 0) / 8).toBeCloseTo(3, 12);
    expect(square(x().map((value) => value - 3))).toBeCloseTo(1, 3);
  });

  it('gates with SiLU and cuts off below zero without a gate', () => {
    const gated = requestOf({ layers: 1 });
    const plain = requestOf({ layers: 1, gated: false });
    for (const request of [gated, plain]) {
      const [layer] = request.tensors.layers;
      // Nothing but the feed-forward part: inputs of 1 become an inner state of −2 (· 8 hidden), which comes out in every column.
      layer.out.weight.fill(0);
      layer.feedForwardNorm = { weight: new Float64Array(8), bias: new Float64Array(8).fill(1) };
      for (const panel of layer.up) panel.weight.fill(-0.25);
      layer.down.weight.fill(1 / 6);
    }
    const added = (request: ReferenceRequest) => {
      const { hidden } = referenceDecode(request).blocks[0][0][0];
      const token = drawnToken(11, 0, 0, 5);
      return hidden[0] - request.tensors.embedding[token * 8];
    };
    expect(added(gated)).toBeCloseTo((-2 / (1 + Math.exp(2))) * -2, 12);
    expect(added(plain)).toBe(0);
    plain.tensors.layers[0].up[0].weight.fill(0.25);
    expect(added(plain)).toBeCloseTo(2, 12);
  });

  it('carries what a step makes into the next: the second step attends the first one’s key and value', () => {
    const request = requestOf({ layers: 1 });
    const { keys, blocks } = referenceDecode(request);
    expect(keys[0][0].length).toBe((5 + 2) * 2 * 8);
    // The same as a decode that finds the first step's X in its cache.
    const x = Float64Array.of(...request.cached[0][0], ...blocks[0][0][0].x);
    const later = referenceDecode({ ...request, context: 6, steps: 1, cached: [[x]] });
    near(later.logits[0][0], referenceDecode(request).logits[1][0]);
  });
});
