import type { Candidate, PlanResult } from '../../../sim/planner/result.ts';
import type { ScheduleName } from '../../../sim/schedule/names.ts';

function candidate(schedule: ScheduleName, stepSeconds: number, busy: [number, number, number]): Candidate {
  const [h2d, gpu, hostDram] = busy;
  return {
    schedule,
    feasible: true,
    infeasibleBecause: null,
    split: { resident: 0, recomputed: 0, transferred: 640, hostAttended: 0 },
    firstStepSeconds: stepSeconds * 0.95,
    lastStepSeconds: stepSeconds * 1.05,
    stepSeconds,
    decodeSeconds: stepSeconds * 128,
    tokensPerSecond: 64 / stepSeconds,
    boundSeconds: 0.0968,
    gap: stepSeconds / 0.0968 - 1,
    bottleneck: 'h2d',
    utilisation: { h2d, d2h: 0.01, gpu, hostDram, hostCores: 0 },
    bytesPerStep: { h2d: 12e9, d2h: 33e6 },
    peakBytes: { gpu: 21e9, host: 45e9 },
    simulatedSteps: 128,
    strategy: 'soonest',
  };
}

/** An answer of `plan` with made-up figures near those of OPT-6.7B on an A100; `resident` does not fit. */
export function planResult(): PlanResult {
  return {
    scenario: 'OPT-6.7B, KV in host memory, one A100',
    model: {
      name: 'opt-6.7b',
      parameters: 6.658e9,
      activeParameters: 6.658e9,
      layers: 32,
      kvBytesPerToken: 524288,
      kvBytesPerTokenPerLayer: 16384,
      activationBytesPerTokenPerLayer: 8192,
      recomputeFlopsPerTokenPerLayer: 67108864,
    },
    machine: { name: 'a100-pcie-40gb', gpu: {}, host: {}, link: {}, measured: false },
    workload: { batch: 64, promptTokens: 512, generatedTokens: 128, microBatches: 1 },
    contextTokens: 512,
    bound: { decodeSeconds: 12.4, firstStepSeconds: 0.0968 },
    analytic: {
      splitTokens: 300,
      activationSeconds: 0.004,
      recomputeSeconds: 0.004,
      kvSeconds: 0.007,
      objectiveSeconds: 0.011,
    },
    candidates: [
      candidate('kvpr-pipelined', 0.3514, [0.995, 0.42, 0.17]),
      candidate('activation', 0.412, [0.84, 0.91, 0.11]),
      candidate('kvpr-row', 0.4702, [0.81, 0.4, 0.14]),
      candidate('transfer-prefetch', 0.6713, [0.998, 0.06, 0.18]),
      candidate('transfer', 0.7041, [0.95, 0.05, 0.17]),
      candidate('host-attention', 1.204, [0.001, 0.03, 1]),
      {
        ...candidate('resident', 0, [0, 0, 0]),
        feasible: false,
        infeasibleBecause: 'GPU memory lacks 7.4 GiB: 47.4 GiB are needed at the last step, the GPU has 40 GiB',
        tokensPerSecond: 0,
        gap: 0,
      },
    ],
    recommendation: {
      schedule: 'kvpr-pipelined',
      split: { resident: 0, recomputed: 380, transferred: 132, hostAttended: 0 },
      speedup: 1.91,
      verdict: 'recompute',
      because: 'The link binds; recomputing 380 tokens a layer halves what it carries for them.',
    },
  };
}
