import { describe, expect, it } from 'vitest';
import { plan } from '../../../sim/planner/plan.ts';
import type { PlanResult, Recommendation } from '../../../sim/planner/result.ts';
import { IDEAL_MACHINE, scenarioOf } from '../schedule/scenarios.ts';

const LINK_ONLY = ['transfer', 'transfer-prefetch', 'kvpr-row', 'kvpr-pipelined'];
const OPT = {
  model: 'opt-6.7b',
  machine: 'a100-pcie-40gb',
  workload: { batch: 64, promptTokens: 128, generatedTokens: 16 },
};
const LLAMA = {
  model: 'llama-3.1-8b',
  machine: 'h100-sxm',
  workload: { batch: 64, promptTokens: 4096, generatedTokens: 4 },
};

function answer(document: object): PlanResult & { recommendation: Recommendation } {
  const result = plan(scenarioOf(document));
  if (!result.recommendation) throw new Error('nothing fits');
  return { ...result, recommendation: result.recommendation };
}

const secondsOf = ({ candidates }: PlanResult, name: string) =>
  candidates.find(({ schedule }) => schedule === name)!.decodeSeconds;

describe('the recommendation', () => {
  it('is to recompute with multi-head attention behind PCIe, and by how much', () => {
    const result = answer({ ...OPT, schedules: LINK_ONLY });
    const { recommendation } = result;
    expect(recommendation).toMatchObject({ schedule: 'kvpr-pipelined', verdict: 'recompute' });
    expect(recommendation.split.recomputed).toBeGreaterThan(64);
    const ratio = secondsOf(result, 'transfer-prefetch') / secondsOf(result, 'kvpr-pipelined');
    expect(recommendation.speedup).toBeCloseTo(ratio, 12);
    expect(recommendation.speedup).toBeGreaterThan(1.5);
    expect(recommendation.because).toMatch(
      /^kvpr-pipelined takes [\d.]+ ms a step: of 128 cached tokens it recomputes \d+ and transfers \d+\. The best plan that recomputes nothing, transfer-prefetch, takes [\d.]+ ms, \d\.\d\d times as long; recomputing saves [\d.]+ ms a step and [\d.]+ GiB of transfers\. What binds is the link from host to GPU, busy \d+ % of the time\.$/,
    );
    expect(recommendation.because).toContain(`${ratio.toFixed(2)} times`);
  });

  it('is not to recompute with grouped-query attention, whose activations outweigh its cache', () => {
    const { recommendation } = answer({ ...LLAMA, schedules: [...LINK_ONLY, 'activation'] });
    expect(recommendation).toMatchObject({ schedule: 'transfer-prefetch', verdict: 'do-not-recompute', speedup: 1 });
    expect(recommendation.split.recomputed).toBe(0);
    expect(recommendation.because).toMatch(/^Transfer the cache, prefetched: transfer-prefetch takes/);
    expect(recommendation.because).toMatch(
      /The best plan that recomputes, activation with 4096 tokens, takes [\d.]+ s, \d\.\d\d times as long\./,
    );
    expect(recommendation.because).toContain(
      'an activation (8 KiB a token and layer in fp16) is no smaller than the KV it replaces (4 KiB in fp16), as the cache of 8 KV heads for 32 query heads of llama-3.1-8b is compact already',
    );
  });

  it('names the latent cache of latent attention', () => {
    const { recommendation } = answer({ ...OPT, model: 'deepseek-v2-lite', schedules: LINK_ONLY });
    expect(recommendation.verdict).toBe('do-not-recompute');
    expect(recommendation.because).toContain('the latent cache of deepseek-v2-lite is compact already');
  });

  it('weighs the precisions of the scenario: a cache in int4 is smaller than its activations', () => {
    const { recommendation } = answer({ ...OPT, precision: { kv: 'int4' }, schedules: LINK_ONLY });
    expect(recommendation.verdict).toBe('do-not-recompute');
    expect(recommendation.because).toContain('an activation (8 KiB a token and layer in fp16)');
    expect(recommendation.because).toContain('the KV it replaces (4 KiB in int4), as the cache of opt-6.7b is compact');
  });

  it('says that the searched splits recompute nothing where no other plan recomputes', () => {
    const { because } = answer({ ...LLAMA, schedules: LINK_ONLY }).recommendation;
    expect(because).toContain(
      'Of all splits of kvpr-pipelined and kvpr-row, the one that recomputes nothing is the fastest.',
    );
  });

  it('is to keep the cache resident where it fits', () => {
    const result = answer({ ...OPT, workload: { ...OPT.workload, batch: 2 } });
    expect(result.recommendation).toMatchObject({ schedule: 'resident', verdict: 'do-not-recompute' });
    expect(result.recommendation.because).toMatch(/^Keep the cache resident: resident takes [\d.]+ ms a step\./);
    const others = result.candidates.filter(({ schedule, split }) => schedule !== 'resident' && split.recomputed === 0);
    expect(result.recommendation.speedup).toBeCloseTo(others[0].decodeSeconds / secondsOf(result, 'resident'), 12);
  });

  it('is to attend on the host where its memory is faster than the link', () => {
    const machine = { ...IDEAL_MACHINE, link: { h2d: '1 GB/s', d2h: '1 GB/s' } };
    const { recommendation } = answer({ ...LLAMA, machine, schedules: ['transfer', 'host-attention', 'activation'] });
    expect(recommendation).toMatchObject({ schedule: 'host-attention', verdict: 'do-not-recompute' });
    expect(recommendation.because).toMatch(/^Attend to the cache on the host: /);
  });

  it('is null where nothing fits', () => {
    const result = plan(scenarioOf({ ...OPT, model: 'opt-66b' }));
    expect(result.candidates.length).toBeGreaterThan(3);
    expect(result.candidates.every(({ feasible }) => !feasible)).toBe(true);
    expect(result.candidates[0].infeasibleBecause).toMatch(/^GPU memory is [\d.]+ .iB short \(\d+ bytes; needs /);
    expect(result.recommendation).toBeNull();
  });

  it('says that nothing else was considered where it was not, and not that it does not fit', () => {
    const { recommendation } = answer({ ...OPT, schedules: ['kvpr-row'] });
    expect(recommendation).toMatchObject({ schedule: 'kvpr-row', verdict: 'recompute', speedup: 1 });
    expect(recommendation.because).toContain(
      'No plan that recomputes nothing was considered beside it; of all its splits, the one without recomputation among them, this one is the fastest.',
    );
    expect(recommendation.because).not.toContain('fits');
  });

  it('claims no saving for a split that was asked for and compared with nothing', () => {
    const { because } = answer({
      ...OPT,
      schedules: ['kvpr-row'],
      split: { recomputed: 10, resident: 20 },
    }).recommendation;
    expect(because).toContain('of 128 cached tokens it recomputes 10, keeps 20 resident and transfers 98.');
    expect(because).toContain(
      'No plan that recomputes nothing was considered, so what recomputing saves is not known.',
    );
    const { because: all } = answer({ ...OPT, schedules: ['activation'] }).recommendation;
    expect(all).toContain('No plan that recomputes nothing was considered, so');
  });

  it('says that no plan that recomputes nothing fits only where one was tried', () => {
    // 45 GiB of KV do not fit a GPU of 40 GB.
    const workload = { batch: 64, promptTokens: 1024, generatedTokens: 1 };
    const { recommendation, candidates } = answer({ ...OPT, workload, schedules: ['resident', 'kvpr-row'] });
    expect(candidates.map(({ schedule, feasible }) => [schedule, feasible])).toEqual([
      ['kvpr-row', true],
      ['resident', false],
    ]);
    expect(recommendation).toMatchObject({ schedule: 'kvpr-row', verdict: 'recompute', speedup: 1 });
    expect(recommendation.because).toContain('No plan that recomputes nothing fits.');
  });

  it('speaks of no schedule that the scenario leaves out', () => {
    for (const schedules of [LINK_ONLY, ['transfer'], ['kvpr-row', 'transfer']]) {
      const { because } = answer({ ...OPT, schedules }).recommendation;
      expect(because).not.toMatch(/resident|host-attention|on the host/);
    }
  });

  it('says that no plan that recomputes was considered, or that none fits', () => {
    expect(answer({ ...OPT, schedules: ['transfer'] }).recommendation.because).toContain(
      'No plan that recomputes was considered.',
    );
    // X and its staging take host memory; KV is half of X here.
    const machine = { ...IDEAL_MACHINE, host: { ...IDEAL_MACHINE.host, memory: '40 GiB' } };
    const { because } = answer({ ...LLAMA, machine, schedules: ['transfer', 'activation'] }).recommendation;
    expect(because).toContain('No plan that recomputes fits.');
  });

  it('prefers, of plans equally fast, the one that recomputes nothing', () => {
    // With half as many KV heads as heads an activation is as large as the KV it replaces.
    const model = { layers: 3, hidden: 64, heads: 4, kvHeads: 2, ffn: 256, gated: false, vocab: 100 };
    const machine = { ...IDEAL_MACHINE, gpu: { ...IDEAL_MACHINE.gpu, matmul: 'inf' } };
    const result = answer({ ...OPT, model, machine, schedules: ['activation', 'transfer-prefetch'] });
    expect(secondsOf(result, 'activation')).toBeGreaterThan(0);
    expect(secondsOf(result, 'transfer-prefetch') / secondsOf(result, 'activation')).toBeCloseTo(1, 12);
    expect(result.recommendation).toMatchObject({ schedule: 'transfer-prefetch', verdict: 'do-not-recompute' });
  });

  it('stays finite beside a plan that takes no time at all', () => {
    const machine = { ...IDEAL_MACHINE, gpu: { ...IDEAL_MACHINE.gpu, matmul: 'inf' } };
    const { recommendation } = answer({ ...OPT, machine });
    expect(recommendation).toMatchObject({ schedule: 'resident', speedup: 1 });
    expect(recommendation.because).not.toMatch(/Infinity|NaN/);
  });
});
