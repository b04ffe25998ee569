import { expect, it } from 'vitest';
import { DecodeSession } from '../../exec/decode-session.ts';
import { widened } from '../../exec/half.ts';
import { referenceRequest } from '../../exec/model-tensors.ts';
import { referenceDecode } from '../../exec/reference.ts';
import type { DecodePlan } from '../../sim/schedule/decode.ts';
import { DEVICE, decodeOf, execute, expectedOf, farthest, MODELS, TOLERANCE, WORKLOAD } from './decodes.ts';
import { describeNative } from './native/available.ts';

async function within<T>(decode: DecodePlan, use: (session: DecodeSession) => T, seed?: number): Promise<Awaited<T>> {
  const session = await DecodeSession.open([decode], DEVICE, { seed });
  try {
    return await use(session);
  } finally {
    session.close();
  }
}

function moments(values: Float64Array): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) };
}

describeNative('what a session finds in memory', () => {
  const wide = { ...MODELS.opt, hidden: 256, heads: 8, headDim: 16, ffn: 512, vocab: 300, tiedEmbeddings: false };

  it('is weights whose products are as large as what goes in, norms about 1, small biases', async () => {
    const { tensors } = await within(decodeOf('transfer', { model: wide, split: {} }), (session) =>
      referenceRequest(session, decodeOf('transfer', { model: wide, split: {} })),
    );
    for (const { query, out, up, down, attentionNorm } of tensors.layers) {
      for (const [{ weight, bias }, inputs] of [
        [query, 256],
        [out, 128],
        [up[0], 256],
        [down, 512],
      ] as const) {
        const { mean, deviation } = moments(weight);
        expect(deviation * Math.sqrt(inputs)).toBeCloseTo(1, 1);
        expect(Math.abs(mean) * Math.sqrt(inputs)).toBeLessThan(0.05);
        expect(moments(bias!).deviation).toBeLessThan(0.15);
      }
      expect(moments(attentionNorm.weight).mean).toBeCloseTo(1, 1);
      expect(moments(attentionNorm.weight).deviation).toBeGreaterThan(0.05);
    }
    expect(moments(tensors.embedding).deviation).toBeCloseTo(1, 1);
    expect(moments(tensors.head).deviation * Math.sqrt(256)).toBeCloseTo(1, 1);
  });

  it('differs from tensor to tensor, layer to layer, micro-batch to micro-batch, and with the seed', async () => {
    const decode = decodeOf('activation', { split: {} });
    const firsts = async (seed?: number) => {
      const { tensors, cached } = await within(decode, (session) => referenceRequest(session, decode), seed);
      const { embedding, head, layers } = tensors;
      const linears = layers.flatMap(({ query, keys, values, out, up, down }) => [
        query,
        keys,
        values,
        out,
        ...up,
        down,
      ]);
      // Before it is scaled by the fan-in: signs of the first numbers.
      return [embedding, head, ...linears.map(({ weight }) => weight), ...cached.flat()].map((values) =>
        values.slice(0, 64).map(Math.sign).join(),
      );
    };
    const all = [...(await firsts()), ...(await firsts(2))];
    expect(new Set(all).size).toBe(all.length);
  });

  it('is the same X at the same position wherever a plan keeps it', async () => {
    // One keeps positions from 0 on, the other from 3 on.
    for (const split of [{ recomputed: 9 }, { resident: 3, recomputed: 6 }]) {
      const decode = decodeOf('kvpr-row', { split });
      await within(decode, (session) => {
        const tokenBytes = WORKLOAD.batch * decode.request.shape.hidden * 4;
        decode.buffers.hostActivations.forEach(({ buffer, base, capacity }, at) => {
          const [layer, microBatch] = [Math.floor(at / WORKLOAD.microBatches), at % WORKLOAD.microBatches];
          const drawn = session.cachedActivations(decode, layer, microBatch);
          expect(drawn.length).toBe(WORKLOAD.promptTokens * tokenBytes);
          expect(capacity).toBe(9 - base);
          const kept = session.read(buffer, 0, capacity * tokenBytes);
          expect(kept).toEqual(drawn.slice(base * tokenBytes, (base + capacity) * tokenBytes));
          expect(moments(widened(kept, 'fp32')).deviation).toBeCloseTo(1, 0);
        });
      });
    }
  });

  it('is projected in pieces where activations are many', async () => {
    // 2 MiB of X a token: 12 tokens are more than one piece.
    const model = { layers: 1, hidden: 8192, heads: 1, headDim: 8, ffn: 8, vocab: 16, qkNorm: true };
    for (const name of ['transfer', 'resident'] as const) {
      const workload = { batch: 64, microBatches: 1, generatedTokens: 1 };
      const decode = decodeOf(name, { model, split: {}, workload });
      await within(decode, async (session) => {
        const request = referenceRequest(session, decode);
        const observed = await execute(session, decode);
        const worst = farthest(observed, expectedOf(referenceDecode(request), decode, request.cached));
        expect(worst.distance, worst.name).toBeLessThan(10 * TOLERANCE.fp32);
      });
    }
  });
});
