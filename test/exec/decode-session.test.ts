import { expect, it } from 'vitest';
import { DecodeSession } from '../../exec/decode-session.ts';
import { withSharedBuffers } from '../../exec/validate/shared-buffers.ts';
import { Group } from '../../sim/plan/plan.ts';
import { DEVICE, decodeOf, execute, type Observations } from './decodes.ts';
import { describeNative } from './native/available.ts';
import { withoutCopy } from './without-copy.ts';

const numbersOf = (observed: Observations) => [...observed.values()].flatMap((values) => [...values]);

describeNative('a session', () => {
  it('says what it runs on', async () => {
    const session = await DecodeSession.open([decodeOf('activation')], DEVICE);
    expect(session.info).toMatchObject({ backend: 'cpu', hostThreads: 1 });
    session.close();
  });

  it('gives the same every time', async () => {
    const decode = decodeOf('host-attention', { split: { resident: 2 } });
    const session = await DecodeSession.open([decode], DEVICE);
    const first = await execute(session, decode);
    expect(numbersOf(first).every(Number.isFinite)).toBe(true);
    expect(await execute(session, decode)).toEqual(first);
    session.close();
  });

  it('lets decodes over the same buffers take turns, each as if alone', async () => {
    const alone = [
      decodeOf('kvpr-row', { split: { recomputed: 5 } }),
      decodeOf('resident'),
      decodeOf('host-attention'),
      decodeOf('kvpr-pipelined', { split: { recomputed: 8 } }),
    ];
    const decodes = withSharedBuffers(alone);
    const shared = await DecodeSession.open(decodes, DEVICE);
    for (const i of [2, 0, 3, 1, 0, 2]) {
      const session = await DecodeSession.open([alone[i]], DEVICE);
      expect(await execute(shared, decodes[i])).toEqual(await execute(session, alone[i]));
      session.close();
    }
    shared.close();
  });

  it('refuses decodes that begin at different contexts, whose caches hold different tokens', async () => {
    const decodes = withSharedBuffers([decodeOf('transfer'), decodeOf('transfer', { workload: { promptTokens: 9 } })]);
    await expect(DecodeSession.open(decodes, DEVICE)).rejects.toThrow('begin at one context, found 12, 9');
    await expect(DecodeSession.open([], DEVICE)).rejects.toThrow('found no decode');
  });

  it('forgets what an execution made before the next one', async () => {
    const good = decodeOf('transfer', { split: {} });
    const store = good.plan.group.findIndex((group, i) => group === Group.store && good.plan.step[i] === 0);
    const [whole, broken] = withSharedBuffers([good, withoutCopy(good, store)]);
    const session = await DecodeSession.open([whole, broken], DEVICE);
    const logits = (observed: Observations) => observed.get('logits of step 1 layer 2 micro-batch 0');
    const before = await execute(session, whole);
    expect(logits(before)?.every(Number.isFinite)).toBe(true);
    // What the first execution stored would be right for the second, which stores nothing.
    expect(logits(await execute(session, broken))?.every(Number.isNaN)).toBe(true);
    expect(await execute(session, whole)).toEqual(before);
    session.close();
  });

  it('ends soon where it is aborted, and refuses to begin once it has been', async () => {
    // At this rate the whole would take minutes. Nothing is copied to set it up: activations are drawn where they are kept.
    const decode = decodeOf('activation');
    const session = await DecodeSession.open([decode], { ...DEVICE, linkBytesPerSecond: 10_000 });
    const controller = new AbortController();
    const running = session.run(decode, { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(session.run(decode, { signal: controller.signal })).rejects.toThrow(/abort/);
    session.close();
  });
});
