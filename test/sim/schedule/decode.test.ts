import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planFaults } from '../../../sim/plan/check.ts';
import { GROUPS, Group, Kind, STREAMS, Stream } from '../../../sim/plan/plan.ts';
import { decodeRequest } from '../../../sim/planner/decode-setup.ts';
import { schedulesFor } from '../../../sim/planner/plan.ts';
import { scheduleNamed } from '../../../sim/schedule/catalogue.ts';
import { decodePlan } from '../../../sim/schedule/decode.ts';
import type { ScheduleName } from '../../../sim/schedule/names.ts';
import {
  IDEAL_MACHINE,
  REAL_MACHINE,
  SMALL_MODEL,
  scenarioOf,
  smallMachines,
  smallModels,
  smallWorkloads,
  stepsOf,
} from './scenarios.ts';

const WORKLOAD = { batch: 2, promptTokens: 20, generatedTokens: 3 };

function planOf(name: ScheduleName, document: object = {}) {
  const scenario = scenarioOf({ model: SMALL_MODEL, machine: REAL_MACHINE, workload: WORKLOAD, ...document });
  const schedule = scheduleNamed(name);
  return decodePlan(decodeRequest(scenario, schedule, stepsOf(scenario, schedule))).plan;
}

/** Bytes of all operations of a kind in a group, per step. */
function bytesPerStep(plan: ReturnType<typeof planOf>, kind: number, group: number): number[] {
  const bytes = new Array<number>(plan.steps).fill(0);
  for (let i = 0; i < plan.count; i++) {
    if (plan.works.kind[plan.work[i]] === kind && plan.group[i] === group)
      bytes[plan.step[i]] += plan.works.bytes[plan.work[i]];
  }
  return bytes;
}

describe('a decode plan', () => {
  it('orders every two accesses to the same bytes and stays inside its buffers, for any schedule, model and machine', () => {
    fc.assert(
      fc.property(
        smallModels,
        smallMachines,
        smallWorkloads,
        fc.constantFrom('gpu', 'host'),
        fc.constantFrom('auto', { resident: '20%', recomputed: '40%' }, { recomputed: 1 }),
        (model, machine, workload, weights, split) => {
          const scenario = scenarioOf({ model, machine, workload, placement: { weights }, split });
          for (const schedule of schedulesFor(scenario)) {
            const request = decodeRequest(scenario, schedule, stepsOf(scenario, schedule));
            expect(planFaults(decodePlan(request).plan), schedule.name).toEqual([]);
          }
        },
      ),
      { numRuns: 120 },
    );
  });

  it('is caught when the dependencies of one stream on one group of operations are dropped', () => {
    for (const name of [
      'transfer',
      'transfer-prefetch',
      'kvpr-row',
      'kvpr-pipelined',
      'activation',
      'host-attention',
    ] as const) {
      const plan = planOf(name, name.startsWith('kvpr') ? { split: { recomputed: 8 } } : {});
      const edges = [...plan.stream.keys()].flatMap((i) =>
        [...plan.dependency.subarray(plan.dependencyStart[i], plan.dependencyStart[i + 1])].map((on, e) => ({
          at: plan.dependencyStart[i] + e,
          kind: `${STREAMS[plan.stream[i]]} after ${GROUPS[plan.group[on]]}`,
        })),
      );
      const missed = [...new Set(edges.map((edge) => edge.kind))].filter((kind) => {
        const dependency = plan.dependency.slice();
        // Waiting for the first operation of all is as good as not waiting.
        for (const edge of edges) if (edge.kind === kind) dependency[edge.at] = 0;
        return planFaults({ ...plan, dependency }).length === 0;
      });
      // A read of what the step before stored: the store is also ordered by the buffer it stores from, which is used again in between.
      expect(
        missed.filter((kind) => !kind.endsWith('after store')),
        name,
      ).toEqual([]);
    }
  });

  // 3 layers, 2 sequences, K and V of 64 elements each at fp16: 2·64·2 bytes = 256 bytes a token, layer and sequence; X is 64·2 = 128.
  const KV = 3 * 2 * 256;
  const X = 3 * 2 * 128;

  it('moves the whole cache with transfer, one token more each step', () => {
    expect(bytesPerStep(planOf('transfer'), Kind.copyH2d, Group.copyKv)).toEqual([20 * KV, 21 * KV, 22 * KV]);
  });

  it('moves activations for what it recomputes and KV for the rest, later tokens among them, with a fixed split', () => {
    const plan = planOf('kvpr-row', { split: { recomputed: 8 } });
    expect(bytesPerStep(plan, Kind.copyH2d, Group.copyActivation)).toEqual([8 * X, 8 * X, 8 * X]);
    expect(bytesPerStep(plan, Kind.copyH2d, Group.copyKv)).toEqual([12 * KV, 13 * KV, 14 * KV]);
  });

  it('moves activations alone with activation', () => {
    const plan = planOf('activation');
    expect(bytesPerStep(plan, Kind.copyH2d, Group.copyActivation)).toEqual([20 * X, 21 * X, 22 * X]);
    expect(bytesPerStep(plan, Kind.copyH2d, Group.copyKv)).toEqual([0, 0, 0]);
    expect(bytesPerStep(plan, Kind.copyD2h, Group.store)).toEqual([X, X, X]);
  });

  it('moves nothing with resident', () => {
    const plan = planOf('resident');
    expect([...plan.stream].every((stream) => stream === Stream.compute)).toBe(true);
  });

  it('moves queries down and results with their log-sum-exps up with host-attention, and reads the cache where it is', () => {
    const plan = planOf('host-attention');
    // A result is the width of all heads at fp16 and 4 bytes a head.
    expect(bytesPerStep(plan, Kind.copyD2h, Group.hostAttention)).toEqual([X, X, X]);
    expect(bytesPerStep(plan, Kind.copyH2d, Group.hostAttention)).toEqual([
      X + 3 * 2 * 16,
      X + 3 * 2 * 16,
      X + 3 * 2 * 16,
    ]);
    expect(bytesPerStep(plan, Kind.hostAttend, Group.hostAttention)).toEqual([20 * KV, 21 * KV, 22 * KV]);
  });

  it("stores the new token's KV every step where tokens live on the host", () => {
    for (const name of ['transfer', 'transfer-prefetch', 'kvpr-row', 'host-attention'] as const) {
      expect(bytesPerStep(planOf(name, { split: { recomputed: 0 } }), Kind.copyD2h, Group.store), name).toEqual([
        KV,
        KV,
        KV,
      ]);
    }
  });

  it('stores an activation where a later step recomputes from it, and KV only where one reads it', () => {
    // With an infinitely fast GPU recomputing everything is best, generated tokens included.
    const machine = { ...IDEAL_MACHINE, gpu: { ...IDEAL_MACHINE.gpu, matmul: 'inf' } };
    const stored = bytesPerStep(planOf('kvpr-pipelined', { machine }), Kind.copyD2h, Group.store);
    expect(stored).toEqual([X, X, X]);
  });

  it('keeps in host memory only what some step reads', () => {
    const bytes = (plan: ReturnType<typeof planOf>, name: string) =>
      plan.buffers.filter((buffer) => buffer.name.startsWith(name)).reduce((sum, buffer) => sum + buffer.bytes, 0);
    const plan = planOf('kvpr-row', { split: { recomputed: 8 } });
    expect(bytes(plan, 'host-activations')).toBe(8 * X);
    // Tokens 8 to 22: 15 of them, the last one stored for a step beyond the plan.
    expect(bytes(plan, 'host-kv')).toBe(15 * KV);
    expect(bytes(planOf('activation'), 'host-kv')).toBe(0);
  });

  it('has two buffers for staged KV where it fetches ahead and one where it does not', () => {
    const staged = (name: ScheduleName) =>
      planOf(name).buffers.filter((buffer) => buffer.name.startsWith('staged-kv')).length;
    expect([staged('transfer'), staged('transfer-prefetch')]).toEqual([1, 2]);
  });

  it('brings W_K and W_V first, one load of weights for all micro-batches, with kvpr-column', () => {
    const plan = planOf('kvpr-column', {
      placement: { weights: 'host' },
      workload: { ...WORKLOAD, generatedTokens: 1, microBatches: 2 },
      split: { recomputed: 8 },
    });
    const order: string[] = [];
    for (let i = 0; i < plan.count; i++) {
      if (plan.stream[i] === Stream.h2d && plan.layer[i] === 0) order.push(`${plan.group[i]}:${plan.microBatch[i]}`);
    }
    const { copyWeights, copyActivation, copyKv } = Group;
    expect(order).toEqual([
      `${copyWeights}:0`,
      `${copyActivation}:0`,
      `${copyWeights}:0`,
      `${copyKv}:0`,
      `${copyActivation}:1`,
      `${copyKv}:1`,
    ]);
    // 2·64·64 projection weights and 64·64 + 64·64 + 2·64·256 others at fp16, norms aside.
    const weights = bytesPerStep(plan, Kind.copyH2d, Group.copyWeights)[0] / 3;
    expect(weights).toBeGreaterThanOrEqual(2 * (2 * 64 * 64 + 2 * 64 * 64 + 2 * 64 * 256));
    expect(weights).toBeLessThan(2 * (2 * 64 * 64 + 2 * 64 * 64 + 2 * 64 * 256) * 1.02);
  });

  it('fetches and attends only the window in windowed layers', () => {
    const plan = planOf('transfer', { model: { ...SMALL_MODEL, window: { size: 7, every: 3 } } });
    // Layers 0 and 1 see 7 tokens, layer 2 sees all.
    const layer = KV / 3;
    expect(bytesPerStep(plan, Kind.copyH2d, Group.copyKv)).toEqual(
      [20, 21, 22].map((context) => (7 + 7 + context) * layer),
    );
  });

  it('copies only the distinct experts expected for the batch', () => {
    const moe = { experts: 8, active: 2, expertFfn: 32 };
    const load = (batch: number) =>
      bytesPerStep(
        planOf('transfer', {
          model: { ...SMALL_MODEL, moe },
          placement: { weights: 'host' },
          workload: { batch, promptTokens: 20, generatedTokens: 1 },
        }),
        Kind.copyH2d,
        Group.copyWeights,
      )[0];
    // One expert: 2·64·32 weights at fp16; a batch of 1 reaches 2 of 8 experts, one of 2 reaches 8·(1 − (3/4)²) = 3.5.
    expect(load(2) - load(1)).toBeCloseTo(3 * 1.5 * 2 * 64 * 32 * 2, 6);
  });
});
