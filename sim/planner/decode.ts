import { simulate } from '../engine/engine.ts';
import type { CostTable } from '../engine/tasks.ts';
import { costTable } from '../machine/cost.ts';
import { RESOURCES } from '../machine/resources.ts';
import { memoryOverTime, peakBytes } from '../plan/memory.ts';
import { Kind, type Plan, Stream } from '../plan/plan.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { decodePlan } from '../schedule/decode.ts';
import type { LayerGroups } from '../schedule/layer-groups.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { type SplitTokens, WAYS } from '../schedule/split-tokens.ts';
import { attendedBy, type StepSplit, type Steps } from '../schedule/token-ranges.ts';
import { decodeRequest } from './decode-setup.ts';
import { type Strategy, splitsAt, spread, strategiesFor } from './splits.ts';

/** Layers × steps × micro-batches up to which every step of a decode is simulated; longer ones are sampled. */
const ALL_STEPS_UP_TO = 16_000;
const MOST_SAMPLES = 65;
const LEAST_SAMPLES = 3;

/** A decode under one schedule; sums and means are over all its steps. */
export interface SimulatedDecode {
  /** How the splits were chosen. */
  strategy: Strategy;
  firstSplit: StepSplit;
  stepSeconds: Float64Array;
  decodeSeconds: number;
  simulatedSteps: number;
  /** Seconds each resource is busy, by `Resource`. */
  busySeconds: number[];
  /** Seconds in which a kernel runs. */
  kernelSeconds: number;
  h2dBytes: number;
  d2hBytes: number;
  peakBytes: { gpu: number; host: number };
}

/**
 * Chooses the splits of a decode and simulates it: every step of it, or, where that is too much, samples (each behind its predecessor) with
 * the steps between them on straight lines. Where strategies differ, the one that takes less.
 */
export function simulateDecode(scenario: Scenario, schedule: Schedule, layers: LayerGroups): SimulatedDecode {
  return strategiesFor(scenario, schedule)
    .map((strategy) => decodeWith(scenario, schedule, layers, strategy))
    .reduce((best, other) => (other.decodeSeconds < best.decodeSeconds ? other : best));
}

function decodeWith(scenario: Scenario, schedule: Schedule, layers: LayerGroups, strategy: Strategy): SimulatedDecode {
  const { promptTokens, generatedTokens, microBatches } = scenario.workload;
  const perStep = scenario.model.layers * microBatches;
  const simulateAll = generatedTokens * perStep <= ALL_STEPS_UP_TO;
  const wanted = Math.max(LEAST_SAMPLES, Math.min(MOST_SAMPLES, Math.floor(ALL_STEPS_UP_TO / (2 * perStep))));
  const steps = simulateAll ? range(generatedTokens) : sampledSteps(generatedTokens, wanted);
  const contexts = steps.map((step) => promptTokens + step);
  const splits = splitsAt(scenario, schedule, layers, contexts, strategy);
  const pieces = simulateAll
    ? [simulatePiece(scenario, schedule, { contexts, splits }, 0)]
    : steps.map((step, i) => simulatePiece(scenario, schedule, ...sample(step, i, contexts, splits, layers)));

  const stepSeconds = simulateAll
    ? pieces[0].stepSeconds
    : interpolated(
        steps,
        pieces.map((piece) => piece.stepSeconds[0]),
      );
  // How many steps of the decode each piece stands for.
  const weights = simulateAll ? [1] : standsFor(steps);
  const sum = (value: (piece: Piece) => number) =>
    pieces.reduce((total, piece, i) => total + weights[i] * value(piece), 0);
  return {
    strategy,
    firstSplit: splits[0],
    stepSeconds,
    decodeSeconds: simulateAll ? pieces[0].endSeconds : stepSeconds.reduce((total, seconds) => total + seconds, 0),
    simulatedSteps: steps.length,
    busySeconds: RESOURCES.map((_, r) => sum((piece) => piece.busySeconds[r])),
    kernelSeconds: sum((piece) => piece.kernelSeconds),
    h2dBytes: sum((piece) => piece.h2dBytes),
    d2hBytes: sum((piece) => piece.d2hBytes),
    peakBytes: {
      gpu: Math.max(...pieces.map((piece) => piece.peakBytes.gpu)),
      host: Math.max(...pieces.map((piece) => piece.peakBytes.host)),
    },
  };
}

/** Some steps of a decode that were simulated together; figures are of the counted steps only. */
interface Piece {
  stepSeconds: Float64Array;
  /** End of the last step. */
  endSeconds: number;
  busySeconds: number[];
  kernelSeconds: number;
  h2dBytes: number;
  d2hBytes: number;
  peakBytes: { gpu: number; host: number };
}

/** @param skipped steps at the beginning that only bring the machine into the state the counted ones begin in */
function simulatePiece(
  scenario: Scenario,
  schedule: Schedule,
  steps: Steps,
  skipped: number,
  otherSteps?: Steps,
): Piece {
  const request = decodeRequest(scenario, schedule, steps);
  const { plan, stepEnds } = decodePlan(otherSteps ? { ...request, otherSteps } : request);
  const costs = costTable(plan.works, scenario.machine);
  const timeline = simulate(plan, costs);
  const ends = Float64Array.from(stepEnds, (operation) => timeline.endSeconds[operation]);
  const stepSeconds = ends.map((end, step) => end - (step > 0 ? ends[step - 1] : 0)).subarray(skipped);
  return {
    stepSeconds,
    endSeconds: ends[ends.length - 1],
    ...workOf(plan, costs, skipped),
    peakBytes: peakBytes(memoryOverTime(plan, timeline)),
  };
}

function workOf(
  plan: Plan,
  costs: CostTable,
  skipped: number,
): Omit<Piece, 'stepSeconds' | 'endSeconds' | 'peakBytes'> {
  const { works } = plan;
  const times = new Float64Array(works.count);
  const kernelTimes = new Float64Array(works.count);
  for (let i = 0; i < plan.count; i++) {
    if (plan.step[i] < skipped) continue;
    times[plan.work[i]]++;
    if (plan.stream[i] === Stream.compute) kernelTimes[plan.work[i]]++;
  }
  const total = (value: (work: number) => number, count = times) =>
    count.reduce((sum, often, work) => (often > 0 ? sum + often * value(work) : sum), 0);
  const bytesOf = (kind: number) => total((work) => (works.kind[work] === kind ? works.bytes[work] : 0));
  return {
    busySeconds: RESOURCES.map((_, r) =>
      total((work) => costs.seconds[work] * costs.share[work * costs.resources + r]),
    ),
    kernelSeconds: total((work) => costs.seconds[work], kernelTimes),
    h2dBytes: bytesOf(Kind.copyH2d),
    d2hBytes: bytesOf(Kind.copyD2h),
  };
}

/** Arguments of `simulatePiece` for the i-th sampled step: behind its predecessor, with the other samples' tokens in the caches. */
function sample(
  step: number,
  i: number,
  contexts: readonly number[],
  splits: readonly StepSplit[],
  layers: LayerGroups,
): [Steps, number, Steps] {
  const others = { contexts, splits };
  if (step === 0) return [{ contexts: [contexts[i]], splits: [splits[i]] }, 0, others];
  const context = contexts[i];
  // Where a window is full, the step before attends as many tokens.
  const before = splits[i].map((split, g) =>
    attendedBy(layers.groups[g], context - 1) < attendedBy(layers.groups[g], context) ? withoutLastToken(split) : split,
  );
  return [{ contexts: [contexts[i] - 1, contexts[i]], splits: [before, splits[i]] }, 1, others];
}

/** A split for a context that is one shorter: a token less in the last way that has one. */
function withoutLastToken(split: SplitTokens): SplitTokens {
  const last = WAYS.findLast((way) => split[way] > 0);
  return last ? { ...split, [last]: split[last] - 1 } : split;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Evenly spread steps, and the second one: the first begins with nothing fetched and stands for itself alone. */
function sampledSteps(count: number, samples: number): number[] {
  return [...new Set([0, Math.min(1, count - 1), ...spread(count - 1, samples)])].sort((a, b) => a - b);
}

/** How many of the steps 0..last each sample stands for when the others lie on straight lines between samples. */
function standsFor(steps: readonly number[]): number[] {
  return steps.map((step, i) => {
    const before = i > 0 ? step - steps[i - 1] : 1;
    const after = i < steps.length - 1 ? steps[i + 1] - step : 1;
    return (before + after) / 2;
  });
}

function interpolated(steps: readonly number[], values: readonly number[]): Float64Array {
  const all = new Float64Array(steps[steps.length - 1] + 1);
  for (let i = 0; i + 1 < steps.length; i++) {
    const width = steps[i + 1] - steps[i];
    for (let k = 0; k <= width; k++) all[steps[i] + k] = values[i] + ((values[i + 1] - values[i]) * k) / width;
  }
  if (steps.length === 1) all[0] = values[0];
  return all;
}
