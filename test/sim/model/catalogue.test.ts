import { describe, expect, it } from 'vitest';
import { findModel, MODEL_NAMES, modelEntry } from '../../../sim/model/catalogue.ts';
import { kvBytesPerToken } from '../../../sim/model/quantities.ts';
import { activeParameterCount, parameterCount } from '../../../sim/model/weights.ts';

describe('the model catalogue', () => {
  it('has the families that the field compares, under unique lower-case slugs', () => {
    expect(MODEL_NAMES.length).toBeGreaterThanOrEqual(45);
    expect(new Set(MODEL_NAMES).size).toBe(MODEL_NAMES.length);
    expect(MODEL_NAMES.filter((name) => !/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(name))).toEqual([]);
    expect(MODEL_NAMES).toEqual(
      expect.arrayContaining([
        ...['opt-125m', 'opt-350m', 'opt-1.3b', 'opt-2.7b', 'opt-6.7b', 'opt-13b', 'opt-30b', 'opt-66b', 'opt-175b'],
        ...['llama-2-7b', 'llama-3.1-405b', 'llama-3.2-3b', 'mistral-7b', 'mixtral-8x7b', 'qwen2.5-7b', 'qwen3-32b'],
        ...['deepseek-v2-lite', 'deepseek-v3', 'gemma-2-9b', 'gemma-3-27b', 'phi-3-mini', 'phi-4', 'gpt-oss-120b'],
      ]),
    );
  });

  it('knows no model by a name it does not list', () => {
    expect(findModel('opt-7b')).toBeUndefined();
    expect(modelEntry('constructor')).toBeUndefined();
  });

  it.each(MODEL_NAMES)('counts the parameters of %s within 1 %% of the published figure', (name) => {
    const { shape, publishedParameters, source } = modelEntry(name)!;
    expect(Math.abs(parameterCount(shape) / publishedParameters - 1)).toBeLessThan(0.01);
    expect(source).toMatch(/config\.json|arXiv/);
    expect(shape.name).toBe(name);
  });

  it.each([
    ['opt-6.7b', 6_658_473_984],
    ['llama-3.1-8b', 8_030_261_248],
    ['mixtral-8x7b', 46_702_792_704],
    ['qwen2.5-0.5b', 494_032_768],
    ['qwen3-30b-a3b', 30_532_122_624],
    ['deepseek-v2-lite', 15_706_484_224],
    ['gemma-2-2b', 2_614_341_888],
    ['falcon-7b', 6_921_720_704],
    ['starcoder', 15_517_456_384],
  ])('counts the parameters of %s to the last one', (name, parameters) => {
    expect(parameterCount(findModel(name)!)).toBe(parameters);
  });

  it.each([
    ['mixtral-8x7b', 12.9e9],
    ['qwen3-30b-a3b', 3.3e9],
    ['qwen3-235b-a22b', 22e9],
    ['deepseek-v2', 21e9],
    ['deepseek-v3', 37e9],
    ['llama-2-7b', 6_738_415_616],
  ])('counts the active parameters of %s as its paper does', (name, published) => {
    expect(Math.abs(activeParameterCount(findModel(name)!) / published - 1)).toBeLessThan(0.02);
  });

  it.each([
    ['llama-3.1-8b', 131072],
    ['llama-3.1-70b', 327680],
    ['llama-2-7b', 524288],
    ['llama-2-13b', 819200],
    ['opt-30b', 1376256],
    ['deepseek-v3', 70272],
    ['falcon-7b', 8192],
  ])('caches for one token of %s at fp16 %d bytes', (name, bytes) => {
    expect(kvBytesPerToken(findModel(name)!)).toBe(bytes);
  });
});
