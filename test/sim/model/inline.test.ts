import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findModel, MODEL_NAMES } from '../../../sim/model/catalogue.ts';
import { inlineFromShape, inlineShapeSchema, shapeFromInline } from '../../../sim/model/inline.ts';
import { summariseModel } from '../../../sim/model/quantities.ts';

const LLAMA = { layers: 32, hidden: 4096, heads: 32, kvHeads: 8, headDim: 128, ffn: 14336, gated: true, vocab: 128256 };
const SMALL = { layers: 4, hidden: 1024, heads: 16, ffn: 4096, vocab: 32000 };

const shapeOf = (inline: unknown) => shapeFromInline(inlineShapeSchema.parse(inline));

/** Path and message of the first problem. */
function problemOf(inline: unknown): [string, string] {
  const { error } = inlineShapeSchema.safeParse(inline);
  if (!error) throw new Error('no problem');
  return [error.issues[0].path.join('.'), error.issues[0].message];
}

describe('an inline shape', () => {
  it('says with eight figures what a plain decoder is', () => {
    const { maxContextTokens: _, ...llama } = findModel('llama-3.1-8b')!;
    expect(shapeOf({ name: 'llama-3.1-8b', ...LLAMA })).toEqual(llama);
  });

  it('may leave out the key-value heads, the head width and the gate', () => {
    expect(shapeOf(SMALL)).toMatchObject({ name: 'inline', kvHeads: 16, headDim: 64, gated: true, rotary: true });
  });

  it('gives latent attention the head width where it has no widths of its own', () => {
    expect(shapeOf({ ...SMALL, mla: { kvRank: 512, ropeDim: 64 } }).mla).toEqual({
      kvRank: 512,
      ropeDim: 64,
      qRank: 0,
      nopeDim: 64,
      vDim: 64,
    });
  });

  it('adds shared experts up, and needs no dense width where all layers have experts', () => {
    const { ffn: _, ...noFfn } = SMALL;
    const shape = shapeOf({ ...noFfn, moe: { experts: 8, active: 2, expertFfn: 512, sharedExperts: 2 } });
    expect(shape.moe).toEqual({ experts: 8, active: 2, expertFfn: 512, sharedFfn: 1024, denseLayers: 0 });
    expect(problemOf({ ...noFfn, moe: { experts: 8, active: 2, expertFfn: 512, denseLayers: 1 } })[0]).toBe('ffn');
    expect(problemOf(noFfn)[0]).toBe('ffn');
  });

  it('windows all layers unless it says which attend everything', () => {
    expect(shapeOf({ ...SMALL, window: { size: 512 } }).window).toEqual({ size: 512, every: 0 });
  });

  it.each([
    ['kvHeads', { kvHeads: 5 }, 'a divisor of the 16 heads'],
    ['headDim', { heads: 15 }, 'a whole head width (1024 is no multiple of 15 heads)'],
    ['moe.active', { moe: { experts: 4, active: 5, expertFfn: 8 } }, 'at most the 4 experts'],
    ['moe.denseLayers', { moe: { experts: 4, active: 1, expertFfn: 8, denseLayers: 5 } }, 'at most the 4 layers'],
  ])('is refused at %s where figures contradict each other', (path, changes, expected) => {
    expect(problemOf({ ...SMALL, ...changes })).toEqual([path, expected]);
  });

  it.each([
    ['layers', { layers: 257 }],
    ['hidden', { hidden: 131073 }],
    ['heads', { heads: 1025 }],
    ['headDim', { headDim: 4097 }],
    ['ffn', { ffn: 1048577 }],
    ['vocab', { vocab: 4194305 }],
    ['vocab', { vocab: 0 }],
    ['layers', { layers: 2.5 }],
    ['layers', { layers: '4' }],
    ['moe.experts', { moe: { experts: 4097, active: 1, expertFfn: 8 } }],
    ['window.size', { window: { size: 0 } }],
    ['name', { name: 'a\u0007b' }],
    ['', { feedForward: 4096 }],
    ['mla', { mla: { kvRank: 512, ropeDim: 64, rank: 1 } }],
  ])('is refused at %j where a figure is out of range, of another type or unknown', (path, changes) => {
    expect(problemOf({ ...SMALL, ...changes })[0]).toBe(path);
  });

  it.each(MODEL_NAMES)('can be written for %s and read back as the same shape', (name) => {
    const shape = findModel(name)!;
    expect(shapeOf(JSON.parse(JSON.stringify(inlineFromShape(shape))))).toEqual(shape);
  });

  it('that is written for a model and changed leaves the model as it was', () => {
    const inline = inlineFromShape(findModel('gpt-oss-20b')!);
    inline.layers = 4;
    inline.bias.qkv = false;
    inline.window!.size = 1;
    inline.moe!.active = 1;
    expect(findModel('gpt-oss-20b')).toMatchObject({
      layers: 24,
      bias: { qkv: true },
      window: { size: 128 },
      moe: { active: 4 },
    });
    expect(shapeOf(inline)).toMatchObject({ layers: 4, window: { size: 1 }, moe: { active: 1 } });
  });

  it('has a JSON Schema that describes every key', () => {
    const { properties } = z.toJSONSchema(inlineShapeSchema, { io: 'input' }) as {
      properties: Record<string, { description?: string }>;
    };
    expect(Object.keys(properties)).toEqual(expect.arrayContaining([...Object.keys(LLAMA), 'mla', 'moe', 'window']));
    expect(Object.entries(properties).filter(([, { description }]) => !description)).toEqual([]);
  });

  it('within the limits has finite figures', () => {
    const pick = (max: number) => fc.oneof(fc.constant(1), fc.constant(max), fc.integer({ min: 1, max }));
    const inline = fc.record({
      layers: pick(256),
      hidden: pick(131072),
      heads: pick(1024),
      headDim: pick(4096),
      ffn: pick(1048576),
      vocab: pick(4194304),
    });
    fc.assert(
      fc.property(inline, (figures) => {
        const { name: _, ...summary } = summariseModel(shapeOf(figures));
        expect(Object.values(summary).every((figure) => Number.isFinite(figure) && figure > 0)).toBe(true);
      }),
    );
  });
});
