import { describe, expect, it } from 'vitest';
import { findModel } from '../../../sim/model/catalogue.ts';
import { denseElements, endWeights, isMoeLayer, layerWeights } from '../../../sim/model/weights.ts';

const model = (name: string) => findModel(name)!;

describe('the weights of a layer', () => {
  it('count biases with their projection and both vectors of a layer norm', () => {
    const h = 4096;
    expect(layerWeights(model('opt-6.7b'), 0)).toEqual({
      kvProjection: 2 * h * h + 2 * h,
      queryProjection: h * h + h,
      kvExpansion: 0,
      outputProjection: h * h + h,
      denseFfn: 2 * h * 4 * h + 4 * h + h,
      routedExpert: 0,
      experts: 0,
      sharedFfn: 0,
      router: 0,
      norms: 2 * 2 * h,
    });
  });

  it('count the latent down-projection as what recomputation needs, and the up-projections apart', () => {
    const weights = layerWeights(model('deepseek-v3'), 60);
    expect(weights.kvProjection).toBe(7168 * 576);
    expect(weights.queryProjection).toBe(7168 * 1536 + 1536 * 128 * 192);
    expect(weights.kvExpansion).toBe(512 * 128 * 256);
    expect(weights.outputProjection).toBe(128 * 128 * 7168);
    expect(weights.norms).toBe(2 * 7168 + 1536 + 512);
  });

  it('project the query directly where it is not compressed', () => {
    expect(layerWeights(model('deepseek-v2-lite'), 0).queryProjection).toBe(2048 * 16 * 192);
  });

  it('are dense but for the K and V projection and the routed experts', () => {
    const h = 4096;
    expect(denseElements(layerWeights(model('mixtral-8x7b'), 0))).toBe(2 * h * h + h * 8 + 2 * h);
    expect(denseElements(layerWeights(model('llama-2-7b'), 0))).toBe(2 * h * h + 3 * h * 11008 + 2 * h);
  });

  it('are dense in the first layers of a mixture of experts and routed afterwards', () => {
    const shape = model('deepseek-v3');
    expect([0, 2, 3].map((layer) => isMoeLayer(shape, layer))).toEqual([false, false, true]);
    expect(layerWeights(shape, 2)).toMatchObject({
      denseFfn: 3 * 7168 * 18432,
      experts: 0,
      routedExpert: 0,
      router: 0,
    });
    expect(layerWeights(shape, 3)).toMatchObject({
      denseFfn: 0,
      experts: 256,
      routedExpert: 3 * 7168 * 2048,
      sharedFfn: 3 * 7168 * 2048,
      router: 7168 * 256,
    });
  });
});

describe('the weights outside the layers', () => {
  it('hold no head of their own where it shares the embedding', () => {
    expect(endWeights(model('llama-3.2-1b'))).toMatchObject({ embedding: 128256 * 2048, head: 0 });
    expect(endWeights(model('llama-3.1-8b'))).toMatchObject({ embedding: 128256 * 4096, head: 128256 * 4096 });
  });

  it('count learned positions, and both projections of an embedding narrower than the model', () => {
    expect(endWeights(model('opt-350m')).embedding).toBe(50272 * 512 + 2050 * 1024 + 2 * 512 * 1024);
  });
});
