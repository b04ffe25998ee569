import type { Machine } from '../machine/machine.ts';
import { Resource } from '../machine/resources.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { LayerGroups } from '../schedule/layer-groups.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { NO_TOKENS, WAYS } from '../schedule/split-tokens.ts';
import type { StepSplit } from '../schedule/token-ranges.ts';
import { formatBytes } from '../units/format.ts';
import type { StepBound } from './bound.ts';
import { type SimulatedDecode, simulateDecode } from './decode.ts';
import type { Bottleneck, Candidate, SplitTokens, Utilisation } from './result.ts';

/** A resource that is busy for less than this share of the time does not limit. */
const BUSY = 0.5;

/** Least seconds of the whole decode, within the GPU's memory and with unlimited memory (for candidates that do not fit). */
export interface DecodeBounds {
  limited: number;
  unlimited: number;
}

/** Simulates one schedule with its split and sums it up. */
export function candidate(
  scenario: Scenario,
  schedule: Schedule,
  layers: LayerGroups,
  bounds: DecodeBounds,
): Candidate {
  const { batch, microBatches, generatedTokens } = scenario.workload;
  const decode = simulateDecode(scenario, schedule, layers);
  const { decodeSeconds, stepSeconds, peakBytes } = decode;
  const short = shortfall(scenario.machine, peakBytes);
  const boundSeconds = (short ? bounds.unlimited : bounds.limited) / generatedTokens;
  const meanStep = decodeSeconds / generatedTokens;
  const utilisation = utilisationOf(decode);
  return {
    schedule: schedule.name,
    feasible: short === null,
    infeasibleBecause: short,
    split: meanOverLayers(decode.firstSplit, layers),
    firstStepSeconds: stepSeconds[0],
    lastStepSeconds: stepSeconds[generatedTokens - 1],
    stepSeconds: meanStep,
    decodeSeconds,
    tokensPerSecond: decodeSeconds > 0 ? (batch * microBatches * generatedTokens) / decodeSeconds : 0,
    boundSeconds,
    gap: boundSeconds > 0 ? meanStep / boundSeconds - 1 : 0,
    bottleneck: bottleneckOf(utilisation),
    utilisation,
    bytesPerStep: { h2d: decode.h2dBytes / generatedTokens, d2h: decode.d2hBytes / generatedTokens },
    peakBytes,
    simulatedSteps: decode.simulatedSteps,
    strategy: decode.strategy,
  };
}

/** Sum of the steps' bounds. Beyond a few hundred steps each stands for those after it: the bound rises with the context, so it stays one. */
export function decodeBound(bound: StepBound, promptTokens: number, generatedTokens: number): number {
  const stride = Math.ceil(generatedTokens / 256);
  let seconds = 0;
  for (let step = 0; step < generatedTokens; step += stride) {
    seconds += bound(promptTokens + step) * Math.min(stride, generatedTokens - step);
  }
  return seconds;
}

function shortfall({ gpu, host }: Machine, peak: { gpu: number; host: number }): string | null {
  const lacks = (pool: string, needed: number, has: number) =>
    needed > has
      ? `${pool} memory is ${formatBytes(needed - has)} short (${needed - has} bytes; needs ${formatBytes(needed)}, has ${formatBytes(has)})`
      : undefined;
  const both = [lacks('GPU', peak.gpu, gpu.memoryBytes), lacks('host', peak.host, host.memoryBytes)];
  return both.filter((text) => text !== undefined).join('; ') || null;
}

/** Mean over all layers of a split given by group of layers. */
export function meanOverLayers(split: StepSplit, { groups }: LayerGroups): SplitTokens {
  const layers = groups.reduce((total, group) => total + group.layers, 0);
  const mean = { ...NO_TOKENS };
  for (const way of WAYS) {
    mean[way] = groups.reduce((total, group, g) => total + group.layers * split[g][way], 0) / layers;
  }
  return mean;
}

function utilisationOf({ decodeSeconds, busySeconds, kernelSeconds }: SimulatedDecode): Utilisation {
  // Stores may outlast the last step: what they do then is not part of the decode.
  const share = (seconds: number) => (decodeSeconds > 0 ? Math.min(1, seconds / decodeSeconds) : 0);
  return {
    h2d: share(busySeconds[Resource.h2d]),
    d2h: share(busySeconds[Resource.d2h]),
    gpu: share(kernelSeconds),
    hostDram: share(busySeconds[Resource.hostDram]),
    hostCores: share(busySeconds[Resource.hostCores]),
  };
}

function bottleneckOf(utilisation: Utilisation): Bottleneck {
  const [name, share] = Object.entries(utilisation).reduce((most, one) => (one[1] > most[1] ? one : most));
  return share >= BUSY ? (name as Bottleneck) : 'dependencies';
}
