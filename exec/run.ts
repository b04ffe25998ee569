import type { Timeline } from '../sim/engine/timeline.ts';
import { type GroupName, type Plan, STREAMS } from '../sim/plan/plan.ts';
import type { Candidate } from '../sim/planner/result.ts';
import type { Scenario } from '../sim/scenario/scenario.ts';
import type { ScheduleName } from '../sim/schedule/names.ts';
import type { SplitTokens } from '../sim/schedule/split-tokens.ts';
import { DecodeSession } from './decode-session.ts';
import { medianTimeline } from './median-timeline.ts';
import type { Backend, DeviceOptions, Execution } from './native.ts';
import { type RepeatSummary, summariseRepeats } from './repeats.ts';
import { candidateConfiguration } from './validate/configurations.ts';
import { groupSeconds, meanStepSeconds, predict, stepSeconds } from './validate/prediction.ts';

export interface RunOptions {
  device: DeviceOptions;
  /** Steps to execute at most. */
  steps: number;
  warmUp: number;
  repeats: number;
  onProgress?: (doing: string, done: number, of: number) => void;
  signal?: AbortSignal;
}

/** What `run --json` prints. Figures are of the executed steps. */
export interface RunReport {
  backend: Backend;
  device: string;
  scenario: string;
  schedule: ScheduleName;
  /** First step, mean over layers. */
  split: SplitTokens;
  steps: number;
  /** By the scenario's own machine. */
  predicted: { machine: string; stepSeconds: number };
  /** `stepSeconds`: mean over the steps, over the repeats. `eachStepSeconds`: of the repeat that took the median time. */
  measured: { stepSeconds: RepeatSummary; tokensPerSecond: number; eachStepSeconds: number[] };
  /** Share of the time in which each stream runs an operation. */
  utilisation: Record<(typeof STREAMS)[number], number>;
  /** Seconds of each group's operations in a step. */
  groupSeconds: Partial<Record<GroupName, number>>;
  /** Host time to enqueue a step, none of it in the times above. */
  enqueueSeconds: number;
  /** How often the streams were held back and emptied: beyond 1, what overlaps between those parts is lost. */
  gates: number;
}

export interface Run {
  report: RunReport;
  plan: Plan;
  predicted: Timeline;
  measured: Timeline;
}

/** Executes the first steps of a candidate's decode on real streams, repeatedly. */
export async function runCandidate(scenario: Scenario, candidate: Candidate, options: RunOptions): Promise<Run> {
  const configuration = candidateConfiguration(scenario, candidate, options.steps);
  const { decode, schedule, split } = configuration;
  const { plan, stepEnds } = decode;
  options.onProgress?.('Preparing', 0, 1);
  const session = await DecodeSession.open([decode], options.device, { signal: options.signal });
  const executions: Execution[] = [];
  try {
    const rounds = options.warmUp + options.repeats;
    for (let round = 0; round < rounds; round++) {
      options.onProgress?.('Executing', round, rounds);
      const execution = await session.run(decode, { signal: options.signal });
      if (round >= options.warmUp) executions.push(execution);
    }
  } finally {
    session.close();
  }
  const steps = executions.map(({ endSeconds }) => meanStepSeconds(stepEnds, endSeconds));
  const measured = medianTimeline(executions, steps);
  const predicted = predict(plan, scenario.machine);
  const summary = summariseRepeats(steps);
  const { batch, microBatches } = scenario.workload;
  return {
    report: {
      backend: options.device.backend,
      device: session.info.name,
      scenario: scenario.name,
      schedule,
      split,
      steps: plan.steps,
      predicted: { machine: scenario.machine.name, stepSeconds: meanStepSeconds(stepEnds, predicted.endSeconds) },
      measured: {
        stepSeconds: summary,
        tokensPerSecond: (batch * microBatches) / summary.median,
        eachStepSeconds: stepSeconds(stepEnds, measured.endSeconds),
      },
      utilisation: utilisationOf(plan, measured),
      groupSeconds: Object.fromEntries(groupSeconds(plan, measured)),
      enqueueSeconds: summariseRepeats(executions.map((one) => one.enqueueSeconds)).median / plan.steps,
      gates: executions[0].gates,
    },
    plan,
    predicted,
    measured,
  };
}

function utilisationOf(plan: Plan, { startSeconds, endSeconds, makespanSeconds }: Timeline): RunReport['utilisation'] {
  const busy = STREAMS.map(() => 0);
  for (let i = 0; i < plan.count; i++) busy[plan.stream[i]] += endSeconds[i] - startSeconds[i];
  const share = (stream: number) => Math.min(1, busy[stream] / makespanSeconds);
  return { h2d: share(0), d2h: share(1), compute: share(2), host: share(3) };
}
