import type { Buffer } from '../../sim/plan/plan.ts';
import type { DecodePlan } from '../../sim/schedule/decode.ts';
import type { Cache, DecodeBuffers } from '../../sim/schedule/decode-buffers.ts';

/**
 * Plans rewritten to use one set of buffers, so that configurations can take turns on one device without being set up anew. Buffers are
 * shared by name: what only lives within a plan is as large as the largest, what holds data is shared where it has the same size.
 */
export function withSharedBuffers(decodes: readonly DecodePlan[]): DecodePlan[] {
  const shared: Buffer[] = [];
  const indexOf = new Map<string, number>();
  const moves = decodes.map(({ plan }) =>
    plan.buffers.map((buffer) => {
      // A cache with room for more tokens keeps its planes farther apart: it is another cache.
      const key = buffer.persistent ? `${buffer.name} ${buffer.bytes}` : buffer.name;
      const at = indexOf.get(key) ?? shared.push({ ...buffer }) - 1;
      indexOf.set(key, at);
      shared[at].bytes = Math.max(shared[at].bytes, buffer.bytes);
      return at;
    }),
  );
  return decodes.map((decode, d) => {
    const { plan } = decode;
    const operands = { ...plan.operands, buffer: plan.operands.buffer.map((buffer) => moves[d][buffer]) };
    return { ...decode, plan: { ...plan, operands, buffers: shared }, buffers: moved(decode.buffers, moves[d]) };
  });
}

function moved(buffers: DecodeBuffers, to: readonly number[]): DecodeBuffers {
  const one = (buffer: number) => (buffer < 0 ? buffer : to[buffer]);
  const some = (list: number[]) => list.map(one);
  const caches = (list: Cache[]) => list.map((cache) => ({ ...cache, buffer: one(cache.buffer) }));
  return {
    ...buffers,
    kvProjection: some(buffers.kvProjection),
    restOfWeights: some(buffers.restOfWeights),
    hostKvProjection: some(buffers.hostKvProjection),
    hostRestOfWeights: some(buffers.hostRestOfWeights),
    endWeights: one(buffers.endWeights),
    residentKv: caches(buffers.residentKv),
    hostKv: caches(buffers.hostKv),
    hostActivations: caches(buffers.hostActivations),
    stagedKv: some(buffers.stagedKv),
    stagedActivations: some(buffers.stagedActivations),
    hidden: some(buffers.hidden),
    newActivation: some(buffers.newActivation),
    projected: some(buffers.projected),
    newKv: some(buffers.newKv),
    attended: one(buffers.attended),
    attendedLogSumExp: some(buffers.attendedLogSumExp),
    ffnInput: one(buffers.ffnInput),
    ffnInner: one(buffers.ffnInner),
    logits: one(buffers.logits),
    hostQuery: some(buffers.hostQuery),
    hostResult: some(buffers.hostResult),
    partialResult: some(buffers.partialResult),
  };
}
