import { describe, expect, it } from 'vitest';
import { whyNotExecutable } from '../../exec/executable.ts';
import { findModel, MODEL_NAMES } from '../../sim/model/catalogue.ts';
import { defineShape } from '../../sim/model/define-shape.ts';
import type { ModelShape } from '../../sim/model/shape.ts';
import type { Precisions } from '../../sim/scenario/scenario.ts';

const SHAPE = defineShape('small', { layers: 2, hidden: 64, heads: 4, ffn: 128, vocab: 50 });
const FP16: Precisions = { weights: 'fp16', kv: 'fp16', activations: 'fp16' };

const why = (changes: Partial<ModelShape>) => whyNotExecutable({ model: { ...SHAPE, ...changes }, precision: FP16 });

describe('what can be executed', () => {
  it('is any dense decoder: windows, shared and normalised heads, biases, rotary and learned positions, gated or not', () => {
    expect(why({})).toBeUndefined();
    expect(why({ window: { size: 5, every: 2 }, kvHeads: 1, qkNorm: true })).toBeUndefined();
    const opt = { rotary: false, learnedPositions: 9, gated: false, norm: 'layer' } as const;
    expect(why({ ...opt, bias: { qkv: true, out: true, ffn: true } })).toBeUndefined();
  });

  it('has one floating-point precision', () => {
    for (const precision of ['fp32', 'fp16', 'bf16'] as const) {
      const same = { weights: precision, kv: precision, activations: precision };
      expect(whyNotExecutable({ model: SHAPE, precision: same })).toBeUndefined();
    }
    const mixed: Precisions = { weights: 'int4', kv: 'fp16', activations: 'fp16' };
    expect(whyNotExecutable({ model: SHAPE, precision: mixed })).toMatch(/found int4, fp16 and fp16/);
    expect(whyNotExecutable({ model: SHAPE, precision: { ...FP16, kv: 'fp32' } })).toMatch(/found fp16, fp32 and fp16/);
    const int8: Precisions = { weights: 'int8', kv: 'int8', activations: 'int8' };
    expect(whyNotExecutable({ model: SHAPE, precision: int8 })).toMatch(/found int8, int8 and int8/);
  });

  it('names what kernels do not know', () => {
    expect(why({ mla: { kvRank: 8, ropeDim: 8, qRank: 0, nopeDim: 8, vDim: 8 } })).toMatch(
      /^small has latent attention/,
    );
    const moe = { experts: 4, active: 2, expertFfn: 8, sharedFfn: 0, denseLayers: 0 };
    expect(why({ moe })).toMatch(/^small has routed experts/);
    expect(why({ embeddingProjection: 32 })).toMatch(/embeddings of width 32 that are projected to 64/);
    expect(why({ normsPerLayer: 4 })).toBe('small has 4 norms per layer, expected 2.');
    expect(why({ headDim: 12 })).toBe('small has headDim 12, expected a multiple of 8.');
    expect(why({ hidden: 60 })).toBe('small has hidden 60, expected a multiple of 8.');
  });

  it('is one sentence or nothing for every model of the catalogue', () => {
    const answers = MODEL_NAMES.map((name) => whyNotExecutable({ model: findModel(name)!, precision: FP16 }));
    for (const answer of answers) if (answer !== undefined) expect(answer).toMatch(/^[^.]+(\.\d[^.]*)*\.$/);
    const executable = (name: string) => answers[MODEL_NAMES.indexOf(name)] === undefined;
    expect(['opt-6.7b', 'llama-2-7b', 'llama-3.1-8b', 'qwen3-32b'].map(executable)).toEqual([true, true, true, true]);
    expect(['mixtral-8x7b', 'deepseek-v3'].map(executable)).toEqual([false, false]);
  });
});
