import { describe, expect, it } from 'vitest';
import { gridConfigurations } from '../../../exec/validate/configurations.ts';
import { withSharedBuffers } from '../../../exec/validate/shared-buffers.ts';
import { planFaults } from '../../../sim/plan/check.ts';
import { parseScenario } from '../../../sim/scenario/parse.ts';

const SCENARIO = parseScenario(`
model: { layers: 2, hidden: 64, heads: 4, kvHeads: 2, headDim: 16, ffn: 128, vocab: 100 }
machine: a100-pcie-40gb
workload: { batch: 2, promptTokens: 24, generatedTokens: 3, microBatches: 2 }
`);

describe('plans over one set of buffers', () => {
  const configurations = gridConfigurations(SCENARIO, 3, 5);
  const decodes = configurations.map(({ decode }) => decode);
  const shared = withSharedBuffers(decodes);

  it('are the grid of every schedule: five splits where the split is open, one where it is not', () => {
    const counts = new Map<string, number>();
    for (const { schedule } of configurations) counts.set(schedule, (counts.get(schedule) ?? 0) + 1);
    expect(Object.fromEntries(counts)).toEqual({
      resident: 1,
      transfer: 1,
      'transfer-prefetch': 1,
      'kvpr-row': 5,
      'kvpr-pipelined': 5,
      activation: 1,
      'host-attention': 1,
    });
    expect(
      configurations.filter(({ schedule }) => schedule === 'kvpr-row').map(({ split }) => split.recomputed),
    ).toEqual([0, 6, 12, 18, 24]);
  });

  it('read and write the same ranges of buffers with the same names as before', () => {
    shared.forEach(({ plan }, d) => {
      const before = decodes[d].plan;
      const names = (of: typeof plan) => Array.from(of.operands.buffer, (buffer) => of.buffers[buffer].name);
      expect(names(plan)).toEqual(names(before));
      expect(plan.operands.offsetBytes).toEqual(before.operands.offsetBytes);
    });
  });

  it('share one list, in which weights and the host’s KV caches appear once', () => {
    for (const { plan } of shared) expect(plan.buffers).toBe(shared[0].plan.buffers);
    const persistent = shared[0].plan.buffers.filter(({ persistent }) => persistent).map(({ name }) => name);
    const once = persistent.filter((name) => /^(weights|host-kv)/.test(name));
    expect(new Set(once).size).toBe(once.length);
  });

  it('stay inside their buffers and free of races', () => {
    for (const { plan } of shared) expect(planFaults(plan)).toEqual([]);
  });

  it('name the same buffers in their plan and in what says which is which', () => {
    shared.forEach(({ plan, buffers }, d) => {
      const before = decodes[d];
      const name = (of: typeof plan, buffer: number) => (buffer < 0 ? 'none' : of.buffers[buffer].name);
      expect(buffers.hostKv.map(({ buffer }) => name(plan, buffer))).toEqual(
        before.buffers.hostKv.map(({ buffer }) => name(before.plan, buffer)),
      );
      expect(name(plan, buffers.logits)).toBe('logits');
      expect(buffers.stagedKv.map((buffer) => name(plan, buffer))).toEqual(
        before.buffers.stagedKv.map((buffer) => name(before.plan, buffer)),
      );
    });
  });
});
