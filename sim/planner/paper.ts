import type { Scenario } from '../scenario/scenario.ts';
import type { ScheduleName } from '../schedule/names.ts';
import { plan } from './plan.ts';
import type { Candidate } from './result.ts';

/** A gain that KVPR (Jiang et al., ACL Findings 2025, arXiv 2411.17089) reports, and what stands for each side of it here. */
interface ReportedGain {
  figure: string;
  /** Relative change that the paper reports, −0.358 or +0.462. */
  reported: number;
  of: (candidate: Candidate) => number;
  schedule: ScheduleName;
  /** Schedules that the paper's baselines resemble, the nearest first. */
  baselines: readonly ScheduleName[];
}

/** A reported gain beside the predicted ones. */
export interface PaperComparison {
  figure: string;
  reportedChange: number;
  schedule: ScheduleName;
  /** Workload of each prediction, and the change against each baseline. */
  predictions: { promptTokens: number; generatedTokens: number; against: ScheduleName; change: number }[];
  assumptions: string[];
  difference: string;
}

const LATENCY: ReportedGain = {
  figure: 'decode latency, OPT-6.7B, batch 64, prompt 128, 128 generated',
  reported: -0.358,
  of: (candidate) => candidate.decodeSeconds,
  schedule: 'kvpr-row',
  baselines: ['transfer', 'transfer-prefetch'],
};

const THROUGHPUT: ReportedGain = {
  figure: 'decode throughput, OPT-13B, weights offloaded, effective batch 32 × 8',
  reported: 0.462,
  of: (candidate) => candidate.tokensPerSecond,
  schedule: 'kvpr-column',
  baselines: ['transfer-prefetch', 'transfer'],
};

const ASSUMPTIONS = [
  'datasheet A100 40 GB and a stated share of its rates; PCIe 4.0 x16 at what nvbandwidth reaches, not at the nominal 32 GB/s',
  'decode steps only: prefill, tokenisation and the framework’s own time are left out',
  'native kernels: no time between one operation and the next beyond launch gaps',
];

/** Sets KVPR's reported gains beside what the scenarios of its workloads predict. Nothing here was measured by this project. */
export function comparePaper(latency: Scenario, throughput: Scenario): PaperComparison[] {
  return [
    {
      ...compare(LATENCY, [latency]),
      assumptions: [
        ...ASSUMPTIONS,
        'the baselines, Hugging Face Accelerate and DeepSpeed Inference, are taken for `transfer`, which fetches and computes in series',
      ],
      difference:
        'The prediction compares schedules alone, on the same runtime; the paper compares its runtime with other frameworks, whose own costs (not known here) are part of its gain. Beyond prompt 128 the paper’s schedule may not recompute generated tokens, which weighs on the longer decode.',
    },
    {
      ...compare(
        THROUGHPUT,
        [256, 512, 1024].map((promptTokens) => withPrompt(throughput, promptTokens)),
      ),
      assumptions: [
        ...ASSUMPTIONS,
        'the baseline, FlexGen, is taken for `transfer-prefetch` with the same micro-batches, without host attention or a cache kept partly on the GPU',
        'the paper does not say which prompt gives its “up to”; the three it lists are shown, with 32 generated tokens',
      ],
      difference:
        'The longer the prompt, the more of the link the cache takes and the more recomputation saves. The paper’s best figure lies near the prediction for 256 tokens and below it for longer ones: the prediction hides all recomputation behind the link and none of the GPU’s time is lost to the runtime.',
    },
  ];
}

function withPrompt(scenario: Scenario, promptTokens: number): Scenario {
  return { ...scenario, workload: { ...scenario.workload, promptTokens } };
}

function compare(
  gain: ReportedGain,
  scenarios: readonly Scenario[],
): Pick<PaperComparison, 'figure' | 'reportedChange' | 'schedule' | 'predictions'> {
  const predictions = scenarios.flatMap((scenario) => {
    const { candidates, workload } = plan({ ...scenario, schedules: [gain.schedule, ...gain.baselines] });
    const gainOf = (name: ScheduleName) => gain.of(candidates.find((candidate) => candidate.schedule === name)!);
    return gain.baselines.map((against) => ({
      promptTokens: workload.promptTokens,
      generatedTokens: workload.generatedTokens,
      against,
      change: gainOf(gain.schedule) / gainOf(against) - 1,
    }));
  });
  return { figure: gain.figure, reportedChange: gain.reported, schedule: gain.schedule, predictions };
}
