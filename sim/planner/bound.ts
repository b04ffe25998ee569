import { costTable, matmulFlopsPerSecond } from '../machine/cost.ts';
import { kvElementsPerTokenPerLayer, recomputeFlopsPerTokenPerLayer } from '../model/quantities.ts';
import { Kind, Stream } from '../plan/plan.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { decodePlan } from '../schedule/decode.ts';
import type { LayerGroups } from '../schedule/layer-groups.ts';
import { endWeightBytes, weightBytes } from '../schedule/layer-work.ts';
import { resident } from '../schedule/resident.ts';
import { elementBytes, extentsOf } from '../schedule/sizes.ts';
import { NO_TOKENS } from '../schedule/split-tokens.ts';
import { attendedBy } from '../schedule/token-ranges.ts';
import { decodeRequest } from './decode-setup.ts';
import { type LinearSeconds, minimumOfMaximum } from './small-lp.ts';

/** Rounding in sums of many terms must not lift a bound above what it bounds. */
const SAFETY = 1 - 1e-9;

/** Least seconds of a step with a given context. */
export type StepBound = (context: number) => number;

/**
 * Lower bound of a decode step over all ways to serve its tokens: a linear programme over the four counts, whose rows are the resources and
 * the chain of kernels that a token passes. Work is counted at the best rate each resource ever reaches (whole GEMM tiles, no latency of
 * copies), all layers' tokens together, so that no schedule and no order can do it in less.
 *
 * @param memoryLimited false: GPU memory is thought unlimited, for candidates that do not fit themselves
 */
export function stepBound(scenario: Scenario, layers: LayerGroups, memoryLimited: boolean): StepBound {
  const { model, machine, workload, precision, placement } = scenario;
  const { gpu, host, link, efficiency } = machine;
  const size = elementBytes(precision);
  const extent = extentsOf(model);
  const sequences = workload.batch * workload.microBatches;
  const hbm = gpu.memoryBytesPerSecond * efficiency.gpuMemory;
  const dram = host.memoryBytesPerSecond * efficiency.hostMemory;
  const flops = matmulFlopsPerSecond(machine, precision.activations);

  const kv = kvElementsPerTokenPerLayer(model) * size.kv;
  const x = model.hidden * size.activations;
  const allWeights = weightBytes(model, sequences, size.weights);
  const offloaded =
    placement.weights === 'host' ? sum(allWeights.map((layer) => layer.kvProjection + layer.restUsed)) : 0;
  const dense = denseSeconds(scenario);
  // Kernels of one micro-batch follow each other; those of several might overlap.
  const chain = workload.microBatches === 1 ? dense.chain : 0;
  const inChain = (seconds: number) => (workload.microBatches === 1 ? seconds : 0);
  // Measured attention to few tokens may take as long as to many: its time at one token is no fixed cost on top of the bytes.
  const attendChain = machine.profile ? chain - inChain(dense.attention) : chain;

  // Seconds of one token in one layer of one sequence, in the order resident, recomputed, transferred, host-attended.
  const attendFlops = extent.attendFlops / flops;
  const recompute = recomputeFlopsPerTokenPerLayer(model) / flops;
  const onHost = Math.max(kv / dram, extent.attendFlops / host.matmulFlopsPerSecond);
  const perToken: LinearSeconds[] = [
    {
      constant: offloaded / link.h2dBytesPerSecond,
      slope: [0, x / link.h2dBytesPerSecond, kv / link.h2dBytesPerSecond, 0],
    },
    { constant: offloaded / dram, slope: [0, x / dram, kv / dram, kv / dram] },
    { constant: 0, slope: [0, 0, 0, extent.attendFlops / host.matmulFlopsPerSecond] },
    { constant: dense.arithmetic, slope: [attendFlops, attendFlops + recompute, attendFlops, 0] },
    { constant: dense.hbm + offloaded / hbm, slope: [kv / hbm, (2 * x + 2 * kv) / hbm, (2 * kv) / hbm, 0] },
    { constant: chain, slope: [0, 0, 0, 0] },
    { constant: attendChain, slope: [inChain(kv / hbm), inChain(kv / hbm), inChain(kv / hbm), 0] },
    { constant: chain - inChain(dense.attention), slope: [0, 0, 0, inChain(onHost)] },
  ];
  const gpuWeights =
    endWeightBytes(model, size.weights) +
    (placement.weights === 'gpu' ? sum(allWeights.map((layer) => layer.kvProjection + layer.rest)) : 0);
  const room = memoryLimited ? Math.max(0, gpu.memoryBytes - gpuWeights) / kv : Number.POSITIVE_INFINITY;

  return (context) => {
    const tokens = sequences * sum(layers.groups.map((group) => group.layers * attendedBy(group, context)));
    const rows = perToken.map(({ constant, slope }) => ({ constant, slope: slope.map((seconds) => seconds * tokens) }));
    return SAFETY * minimumOfMaximum(rows, [room / tokens, 1, 1, 1]);
  };
}

/** What every schedule's kernels need whatever the split: a step without any cached token, all micro-batches' work. */
function denseSeconds(scenario: Scenario): { chain: number; attention: number; arithmetic: number; hbm: number } {
  const { machine, workload } = scenario;
  const splits = [Array.from({ length: 2 }, () => NO_TOKENS)];
  const request = decodeRequest(scenario, resident, { contexts: [0], splits });
  const { plan } = decodePlan({ ...request, placement: { ...request.placement, weights: 'gpu' } });
  const { latencySeconds, seconds } = costTable(plan.works, machine);
  const peak = matmulFlopsPerSecond(machine, scenario.precision.activations);
  const bandwidth = machine.gpu.memoryBytesPerSecond * machine.efficiency.gpuMemory;
  let arithmetic = 0;
  let hbm = 0;
  let chain = 0;
  let attention = 0;
  for (let i = 0; i < plan.count; i++) {
    if (plan.stream[i] !== Stream.compute) continue;
    // Alone: stores that slow a kernel here may slow none elsewhere.
    const alone = latencySeconds[plan.work[i]] + seconds[plan.work[i]];
    chain += alone;
    arithmetic += plan.works.flops[plan.work[i]] / peak;
    hbm += plan.works.bytes[plan.work[i]] / bandwidth;
    // Attention to the new token itself may run beside the host's to the cached ones.
    if (plan.works.kind[plan.work[i]] === Kind.attend) attention += alone;
  }
  return { chain: chain / workload.microBatches, attention, arithmetic, hbm };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
