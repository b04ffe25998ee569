import { median } from 'simple-statistics';
import type { Timeline } from '../../sim/engine/timeline.ts';
import type { GroupName, Plan } from '../../sim/plan/plan.ts';
import { machineFromProfile } from '../../sim/profile/machine.ts';
import type { Profile } from '../../sim/profile/profile.ts';
import type { Scenario } from '../../sim/scenario/scenario.ts';
import type { DecodePlan } from '../../sim/schedule/decode.ts';
import { DecodeSession } from '../decode-session.ts';
import { medianTimeline } from '../median-timeline.ts';
import { type DeviceInfo, type DeviceOptions, type Execution, native } from '../native.ts';
import { measureProfile } from '../profile/measure.ts';
import { mergeProfiles } from '../profile/merge.ts';
import { summariseRepeats } from '../repeats.ts';
import { relativeError, summariseErrors } from './accuracy.ts';
import { type Configuration, chosenConfiguration, gridConfigurations, isSame } from './configurations.ts';
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

/** What came out, with the timelines of the chosen configuration, or of the best where nothing was chosen. */
export interface Validation {
  report: ValidationReport;
  shown: { plan: Plan; predicted: Timeline; measured: Timeline };
}

/**
 * Executes the first steps of a scenario under every schedule and a grid of splits, and under the planner's own choice, and compares each
 * with its prediction. The configurations take turns on one set of buffers.
 */
export async function validate(asked: Scenario, options: ValidateOptions): Promise<Validation> {
  const { device, steps, splits } = options;
  const grid = gridConfigurations(asked, steps, splits);
  const isGiven = asked.machine.measured || options.asWritten === true;
  // What does not fit should not show after a minute.
  if (!isGiven)
    native()
      .open(withSharedBuffers(grid.map(({ decode }) => decode))[0].plan, device)
      .close();
  const before = isGiven ? undefined : await profileOf(grid, options);
  const chosen = chosenConfiguration(before ? { ...asked, machine: machineFromProfile(before) } : asked, steps);
  const all = chosen ? [...grid.filter((other) => !isSame(other, chosen)), chosen] : grid;
  const decodes = withSharedBuffers(all.map(({ decode }) => decode));
  const { executions, logits, info } = await executeInTurns(decodes, options);
  // Measured again behind the runs, so that a machine whose speed drifts is neither predicted from too fast a time nor from too slow a one.
  const after = before && (await profileOf(grid, options));
  const machine = before && after ? machineFromProfile(mergeProfiles(before, after)) : asked.machine;

  const measured = all.map((configuration, i): Measured => {
    const { plan } = decodes[i];
    return { configuration, plan, predicted: predict(plan, machine), executions: executions[i] };
  });
  const runs = measured.map(validatedRun);
  const best = runs.reduce((a, b) => (b.measuredSeconds.median < a.measuredSeconds.median ? b : a));
  const choice = chosen ? runs[runs.length - 1] : undefined;
  const report: ValidationReport = {
    backend: device.backend,
    device: info.name,
    scenario: asked.name,
    machine: machine.name,
    steps: grid[0].decode.plan.steps,
    ...(device.linkBytesPerSecond && { linkBytesPerSecond: device.linkBytesPerSecond }),
    runs,
    stepError: { ...summariseErrors(runs.map(({ error }) => error)), bias: biasOf(runs) },
    operationError: operationError(runs),
    regret: choice ? choice.measuredSeconds.median / best.measuredSeconds.median - 1 : null,
    chosen: choice?.name ?? null,
    bestMeasured: best.name,
    agreement: agreementOf(logits),
  };
  const shown = measured[runs.indexOf(choice ?? best)];
  const timelines = { plan: shown.plan, predicted: shown.predicted };
  return { report, shown: { ...timelines, measured: medianOf(shown.configuration, shown.executions) } };
}

/** Executes decodes over the same buffers, round after round, each round in an order of its own. */
async function executeInTurns(
  decodes: readonly DecodePlan[],
  { device, warmUp, repeats, onProgress, signal }: ValidateOptions,
): Promise<{ executions: Execution[][]; logits: Float32Array[]; info: DeviceInfo }> {
  const session = await DecodeSession.open(decodes, device, { signal });
  try {
    const executions: Execution[][] = decodes.map(() => []);
    const logits: Float32Array[] = [];
    const rounds = warmUp + repeats;
    for (let round = 0; round < rounds; round++) {
      for (const [turn, i] of turns(decodes.length, round).entries()) {
        onProgress?.('Measuring', round * decodes.length + turn, rounds * decodes.length);
        const execution = await session.run(decodes[i], { ...(round === 0 && logitsOf(decodes[i])), signal });
        if (round === 0) logits[i] = new Float32Array(execution.captures[0].slice().buffer);
        if (round >= warmUp) executions[i].push(execution);
      }
    }
    return { executions, logits, info: session.info };
  } finally {
    session.close();
  }
}

/** What the operations of the grid cost on the device now. */
function profileOf(grid: readonly Configuration[], options: ValidateOptions): Promise<Profile> {
  const { device, onProgress, signal } = options;
  return measureProfile({
    device,
    plans: grid.map(({ decode }) => decode.plan),
    // Half before the runs, half behind them.
    minutes: options.profileMinutes / 2,
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  });
}

function validatedRun({ configuration, plan, predicted, executions }: Measured): ValidatedRun {
  const { name, schedule, split, decode } = configuration;
  const predictedSeconds = meanStepSeconds(decode.stepEnds, predicted.endSeconds);
  const measuredSeconds = summariseRepeats(
    executions.map(({ endSeconds }) => meanStepSeconds(decode.stepEnds, endSeconds)),
  );
  const predictedGroups = groupSeconds(plan, predicted);
  const measuredGroups = executions.map((execution) => groupSeconds(plan, execution));
  const groups: ValidatedRun['groups'] = {};
  for (const group of measuredGroups[0].keys()) {
    const seconds = predictedGroups.get(group);
    if (seconds === undefined) continue;
    const measured = summariseRepeats(measuredGroups.map((groups) => groups.get(group) ?? 0)).median;
    // Too short for the clock: there is nothing to compare with.
    if (measured === 0) continue;
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
    gates: executions[0].gates,
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

/** Median of predicted ÷ measured − 1. */
function biasOf(runs: readonly ValidatedRun[]): number {
  return median(runs.map(({ predictedSeconds, measuredSeconds }) => predictedSeconds / measuredSeconds.median - 1));
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
