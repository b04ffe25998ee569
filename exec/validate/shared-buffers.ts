import type { Buffer, Plan } from '../../sim/plan/plan.ts';

/**
 * Plans rewritten to use one set of buffers, so that configurations can take turns on one device without being set up anew. Buffers are
 * shared by name: what only lives within a plan is as large as the largest, what holds data is shared where it has the same size.
 */
export function withSharedBuffers(plans: readonly Plan[]): Plan[] {
  const shared: Buffer[] = [];
  const indexOf = new Map<string, number>();
  const moves = plans.map((plan) =>
    Uint32Array.from(plan.buffers, (buffer) => {
      // A cache with room for more tokens keeps its planes farther apart: it is another cache.
      const key = buffer.persistent ? `${buffer.name} ${buffer.bytes}` : buffer.name;
      const at = indexOf.get(key) ?? shared.push({ ...buffer }) - 1;
      indexOf.set(key, at);
      shared[at].bytes = Math.max(shared[at].bytes, buffer.bytes);
      return at;
    }),
  );
  return plans.map((plan, p) => ({
    ...plan,
    operands: { ...plan.operands, buffer: plan.operands.buffer.map((buffer) => moves[p][buffer]) },
    buffers: shared,
  }));
}
