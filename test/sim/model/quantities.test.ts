import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findModel, MODEL_NAMES } from '../../../sim/model/catalogue.ts';
import {
  expectedDistinctExperts,
  isWindowedLayer,
  kvElementsPerTokenPerLayer,
  recomputeFlopsPerTokenPerLayer,
  summariseModel,
} from '../../../sim/model/quantities.ts';

const model = (name: string) => findModel(name)!;

describe('what a token costs in one layer', () => {
  it('caches a key and a value for every key-value head', () => {
    expect(kvElementsPerTokenPerLayer(model('opt-6.7b'))).toBe(8192);
    expect(kvElementsPerTokenPerLayer(model('llama-3.1-8b'))).toBe(2048);
    expect(kvElementsPerTokenPerLayer(model('gemma-2-9b'))).toBe(4096);
  });

  it('caches one latent and one rotary key with latent attention', () => {
    expect(kvElementsPerTokenPerLayer(model('deepseek-v3'))).toBe(576);
  });

  it('takes 4 · hidden · kvHeads · headDim FLOPs to recompute, and with latent attention 2 · hidden · (rank + rope)', () => {
    expect(recomputeFlopsPerTokenPerLayer(model('llama-3.1-8b'))).toBe(4 * 4096 * 8 * 128);
    expect(recomputeFlopsPerTokenPerLayer(model('deepseek-v3'))).toBe(2 * 7168 * 576);
  });
});

describe('sliding windows', () => {
  const windowed = (name: string) =>
    Array.from({ length: model(name).layers }, (_, layer) => isWindowedLayer(model(name), layer));

  it('leave every n-th layer unwindowed, counted from the first', () => {
    expect(windowed('gemma-3-4b').slice(0, 7)).toEqual([true, true, true, true, true, false, true]);
    expect(windowed('gpt-oss-20b').slice(0, 4)).toEqual([true, false, true, false]);
  });

  it('hold in all layers of a model without a pattern, and in none of a model without a window', () => {
    expect(new Set(windowed('mistral-7b'))).toEqual(new Set([true]));
    expect(new Set(windowed('llama-2-7b'))).toEqual(new Set([false]));
  });
});

describe('the expected number of distinct experts', () => {
  it('is what one token uses, and approaches all of them with many tokens', () => {
    expect(expectedDistinctExperts(8, 2, 1)).toBeCloseTo(2, 12);
    expect(expectedDistinctExperts(8, 2, 2)).toBeCloseTo(3.5, 12);
    expect(expectedDistinctExperts(8, 2, 1000)).toBeCloseTo(8, 9);
  });

  it('lies between the active experts and the lesser of all experts and all choices', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 512 }),
        fc.nat(511),
        fc.integer({ min: 1, max: 4096 }),
        (experts, a, tokens) => {
          const active = 1 + (a % experts);
          const distinct = expectedDistinctExperts(experts, active, tokens);
          expect(distinct).toBeGreaterThanOrEqual(active * (1 - 1e-12));
          expect(distinct).toBeLessThanOrEqual(Math.min(experts, active * tokens) * (1 + 1e-12));
        },
      ),
    );
  });
});

describe('the summary of a model', () => {
  it('states parameters, KV and activation bytes at fp16 and recompute FLOPs', () => {
    expect(summariseModel(model('llama-3.1-8b'))).toEqual({
      name: 'llama-3.1-8b',
      parameters: 8_030_261_248,
      activeParameters: 8_030_261_248,
      layers: 32,
      kvBytesPerToken: 131072,
      kvBytesPerTokenPerLayer: 4096,
      activationBytesPerTokenPerLayer: 8192,
      recomputeFlopsPerTokenPerLayer: 16_777_216,
    });
  });

  it('is finite and positive for every model', () => {
    for (const name of MODEL_NAMES) {
      const { name: _, ...figures } = summariseModel(model(name));
      expect(Object.values(figures).filter((figure) => !(Number.isFinite(figure) && figure > 0))).toEqual([]);
    }
  });
});
