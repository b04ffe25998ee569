import type { Timeline } from '../../sim/engine/timeline.ts';
import type { Machine } from '../../sim/machine/machine.ts';
import type { GroupName, Plan } from '../../sim/plan/plan.ts';
import { machineFromProfile } from '../../sim/profile/machine.ts';
import type { Scenario } from '../../sim/scenario/scenario.ts';
import type { DecodePlan } from '../../sim/schedule/decode.ts';
import { DecodeSession } from '../decode-session.ts';
import { medianTimeline } from '../median-timeline.ts';
import { type DeviceOptions, type Execution, native } from '../native.ts';
import { measureProfile } from '../profile/measure.ts';
import { summariseRepeats } from '../repeats.ts';
import { relativeError, summariseErrors } from './accuracy.ts';
import { type Configuration, chosenConfiguration, gridConfigurations } from './configurations.ts';
import { groupSeconds, meanStepSeconds, predict } from './prediction.ts';
import type { ValidatedRun, ValidationReport } from './report.ts';
import { withSharedBuffers } from './shared-buffers.ts';
import { turns } from './turns.ts';

export interface ValidateOptions {
  device: DeviceOptions;
  /** Predict with the scenario's machine as it stands; otherwise one that is not measured is replaced by a profile measured now. */
  asWritten?: boolean;
  /** Splits of every schedule that leaves them open. */
  splits: number;
  /** Decode steps of each configuration. */
  steps: number;
  warmUp: number;
  repeats: number;
  /** Minutes for the profile, where one is measured. */
  profileMinutes: number;
  onProgress?: (doing: string, done: number, of: number) => void;
  signal?: AbortSignal;
}

/** A configuration with both its timelines. */
interface Measured {
  configuration: Configuration;
  plan: Plan;
  predicted: Timeline;
  executions: Execution[];
}

/** What was asked and what came out, with the timelines of the chosen configuration. */
export interface Validation {
  report: ValidationReport;
  chosen: { plan: Plan; predicted: Timeline; measured: Timeline };
}

/**
 * Executes the first steps of a scenario under every schedule and a grid of splits, and under the planner's own choice, and compares each
 * with its prediction. The configurations take turns on one set of buffers.
 */
export async function validate(asked: Scenario, options: ValidateOptions): Promise<Validation> {
  const { device, steps, splits, signal } = options;
  const grid = gridConfigurations(asked, steps, splits);
  const machine = await machineFor(asked, grid, options);
  const scenario = { ...asked, machine };
  const chosen = chosenConfiguration(scenario, steps);
  const all = chosen ? [...grid.filter(({ name }) => name !== chosen.name), chosen] : grid;
  const decodes = withSharedBuffers(all.map(({ decode }) => decode));
  const session = await DecodeSession.open(decodes, device, { signal });
  try {
    const measured: Measured[] = all.map((configuration, i) => ({
      configuration,
      plan: decodes[i].plan,
      predicted: predict(decodes[i].plan, machine),
      executions: [],
    }));
    const rounds = options.warmUp + options.repeats;
    const logits: Float32Array[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const [turn, i] of turns(all.length, round).entries()) {
        options.onProgress?.('Measuring', round * all.length + turn, rounds * all.length);
        const execution = await session.run(decodes[i], {
          ...(round === 0 && logitsOf(decodes[i])),
          signal,
        });
        if (round === 0) logits[i] = new Float32Array(execution.captures[0].slice().buffer);
        if (round >= options.warmUp) measured[i].executions.push(execution);
      }
    }
    const runs = measured.map(validatedRun);
    const best = runs.reduce((a, b) => (b.measuredSeconds.median < a.measuredSeconds.median ? b : a));
    const choice = chosen ? runs[runs.length - 1] : best;
    const report: ValidationReport = {
      backend: device.backend,
      device: session.info.name,
      scenario: asked.name,
      machine: machine.name,
      steps: grid[0].decode.plan.steps,
      ...(device.linkBytesPerSecond && { linkBytesPerSecond: device.linkBytesPerSecond }),
      runs,
      stepError: summariseErrors(runs.map(({ error }) => error)),
      operationError: operationError(runs),
      regret: choice.measuredSeconds.median / best.measuredSeconds.median - 1,
      chosen: choice.name,
      bestMeasured: best.name,
      agreement: agreementOf(logits),
    };
    const { plan, predicted, executions, configuration } = measured[runs.indexOf(choice)];
    return { report, chosen: { plan, predicted, measured: medianOf(configuration, executions) } };
  } finally {
    session.close();
  }
}

/** The machine to predict with: the scenario's own where it is measured or asked for as it stands, else one measured now. */
async function machineFor(
  { machine }: Scenario,
  grid: readonly Configuration[],
  options: ValidateOptions,
): Promise<Machine> {
  if (machine.measured || options.asWritten) return machine;
  // What does not fit should not show after a minute.
  const { plan } = withSharedBuffers(grid.map(({ decode }) => decode))[0];
  native().open(plan, options.device).close();
  const profile = await measureProfile({
    device: options.device,
    plans: grid.map(({ decode }) => decode.plan),
    minutes: options.profileMinutes,
    ...(options.onProgress && { onProgress: options.onProgress }),
    ...(options.signal && { signal: options.signal }),
  });
  return machineFromProfile(profile);
}

function validatedRun({ configuration, plan, predicted, executions }: Measured): ValidatedRun {
  const { name, schedule, split, decode } = configuration;
  const predictedSeconds = meanStepSeconds(decode.stepEnds, predicted.endSeconds);
  const measuredSeconds = summariseRepeats(
    executions.map(({ endSeconds }) => meanStepSeconds(decode.stepEnds, endSeconds)),
  );
  const predictedGroups = groupSeconds(plan, predicted);
  const measuredGroups = groupSeconds(plan, medianOf(configuration, executions));
  const groups: ValidatedRun['groups'] = {};
  for (const [group, measured] of measuredGroups) {
    const seconds = predictedGroups.get(group);
    if (seconds === undefined) continue;
    groups[group] = {
      predictedSeconds: seconds,
      measuredSeconds: measured,
      error: relativeError(seconds, measured),
    };
  }
  return {
    name,
    schedule,
    split,
    predictedSeconds,
    measuredSeconds,
    error: relativeError(predictedSeconds, measuredSeconds.median),
    groups,
    enqueueSeconds: summariseRepeats(executions.map((one) => one.enqueueSeconds)).median / plan.steps,
  };
}

function medianOf({ decode }: Configuration, executions: readonly Execution[]): Timeline {
  return medianTimeline(
    executions,
    executions.map(({ endSeconds }) => meanStepSeconds(decode.stepEnds, endSeconds)),
  );
}

/** Keeps the logits of the last step, which depend on everything before. */
function logitsOf({ plan, stepEnds }: DecodePlan): { captures: { operation: number; operand: number }[] } {
  const operation = stepEnds[stepEnds.length - 1] - 1;
  return {
    captures: [{ operation, operand: plan.operands.start[operation + 1] - plan.operands.start[operation] - 1 }],
  };
}

/** The largest relative distance from the first, null where something is no number. */
function agreementOf(logits: readonly Float32Array[]): number | null {
  const distances = logits.map((each) => relativeDistance(each, logits[0]));
  return distances.every(Number.isFinite) ? Math.max(...distances) : null;
}

/** Euclidean distance over the length of the second. */
function relativeDistance(a: Float32Array, b: Float32Array): number {
  let distance = 0;
  let length = 0;
  for (let i = 0; i < a.length; i++) {
    distance += (a[i] - b[i]) ** 2;
    length += b[i] ** 2;
  }
  return Math.sqrt(distance / length);
}

function operationError(runs: readonly ValidatedRun[]): ValidationReport['operationError'] {
  const errors = new Map<GroupName, number[]>();
  for (const run of runs) {
    for (const [group, { error }] of Object.entries(run.groups) as [GroupName, { error: number }][]) {
      errors.set(group, [...(errors.get(group) ?? []), error]);
    }
  }
  return Object.fromEntries(
    [...errors].map(([group, values]) => {
      const { median, p95 } = summariseErrors(values);
      return [group, { median, p95 }];
    }),
  );
}
