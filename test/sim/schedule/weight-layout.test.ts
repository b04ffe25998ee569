import { describe, expect, it } from 'vitest';
import { findModel, MODEL_NAMES } from '../../../sim/model/catalogue.ts';
import type { ModelShape } from '../../../sim/model/shape.ts';
import { denseElements, endWeights, isMoeLayer, layerWeights } from '../../../sim/model/weights.ts';
import { endLayout, layerLayout, type WeightPart } from '../../../sim/schedule/weight-layout.ts';

const shapes = MODEL_NAMES.map((name) => findModel(name) as ModelShape);

/** Every part found anywhere in a layout. */
function partsOf(value: unknown): WeightPart[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('offset' in value) return [value as WeightPart];
  return Object.values(value).flatMap(partsOf);
}

/** End of parts that lie side by side without gaps; NaN where they overlap or leave a gap. */
function endOf(parts: WeightPart[]): number {
  let end = 0;
  for (const { offset, elements } of [...parts].sort((a, b) => a.offset - b.offset)) {
    if (offset !== end) return Number.NaN;
    end += elements;
  }
  return end;
}

describe('the layout of weights', () => {
  it('covers exactly the weights of a layer with full attention and a dense feed-forward part', () => {
    for (const shape of shapes.filter(({ mla }) => !mla)) {
      const dense = Array.from({ length: shape.layers }, (_, i) => i).find((layer) => !isMoeLayer(shape, layer));
      if (dense === undefined) continue;
      const { keys, values, ...rest } = layerLayout(shape, dense);
      const weights = layerWeights(shape, dense);
      expect(endOf(partsOf([keys, values])), shape.name).toBe(weights.kvProjection);
      expect(endOf(partsOf(rest)), shape.name).toBe(denseElements(weights));
    }
  });

  it('puts attention before routed experts, which it leaves out', () => {
    for (const shape of shapes.filter(({ mla, moe }) => !mla && moe)) {
      const { keys, values, ...rest } = layerLayout(shape, shape.layers - 1);
      const { queryProjection, outputProjection, norms } = layerWeights(shape, shape.layers - 1);
      expect(endOf(partsOf(rest)), shape.name).toBe(queryProjection + outputProjection + norms);
    }
  });

  it('covers exactly the weights outside the layers, the head being the embedding where they are tied', () => {
    for (const shape of shapes.filter(({ embeddingProjection }) => !embeddingProjection)) {
      const { head, ...rest } = endLayout(shape);
      const { embedding, head: headElements, finalNorm } = endWeights(shape);
      expect(endOf(partsOf(shape.tiedEmbeddings ? rest : { head, ...rest })), shape.name).toBe(
        embedding + headElements + finalNorm,
      );
      if (shape.tiedEmbeddings) expect(head).toEqual(rest.embedding);
    }
  });
});
