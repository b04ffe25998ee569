import { kvElementsPerTokenPerLayer } from '../model/quantities.ts';
import { bytesPerElement } from '../plan/plan.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { scheduleNamed } from '../schedule/catalogue.ts';
import type { ScheduleName } from '../schedule/names.ts';
import { formatBytes, formatSeconds } from '../units/format.ts';
import type { Bottleneck, Candidate, Recommendation } from './result.ts';

/** Gains below this (relative) are rounding, not gains. */
const SAME = 1e-9;

const BINDS: Record<Bottleneck, string> = {
  h2d: 'the link from host to GPU',
  d2h: 'the link from GPU to host',
  gpu: 'the GPU',
  hostDram: "the host's memory bandwidth",
  hostCores: "the host's cores",
  dependencies: 'no single resource: operations wait for each other',
};

const INSTEAD: Record<ScheduleName, string> = {
  resident: 'Keep the cache resident',
  transfer: 'Transfer the cache',
  'transfer-prefetch': 'Transfer the cache, prefetched',
  'kvpr-row': 'Transfer the cache',
  'kvpr-column': 'Transfer the cache',
  'kvpr-pipelined': 'Transfer the cache, prefetched',
  activation: 'Recompute the cache',
  'host-attention': 'Attend to the cache on the host',
};

/**
 * The fastest plan that fits; among equally fast ones, one that recomputes nothing.
 *
 * @param candidates best first, those that do not fit last
 * @returns null where none fits
 */
export function recommend(scenario: Scenario, candidates: readonly Candidate[]): Recommendation | null {
  const feasible = candidates.filter((candidate) => candidate.feasible);
  if (feasible.length === 0) return null;
  const [fastest] = feasible;
  const plain = feasible.find(recomputesNothing);
  const best = plain && plain.decodeSeconds <= fastest.decodeSeconds * (1 + SAME) ? plain : fastest;
  const rival = feasible.find((other) => other !== best && recomputesNothing(other));
  const pays = !recomputesNothing(best);
  return {
    schedule: best.schedule,
    split: best.split,
    speedup: rival ? (ratio(rival.decodeSeconds, best.decodeSeconds) ?? 1) : 1,
    verdict: pays ? 'recompute' : 'do-not-recompute',
    because: (pays ? whyRecompute(scenario, best, rival, candidates) : whyNot(scenario, best, candidates)).join(' '),
  };
}

/** As the first step's split says, which is the one shown. */
function recomputesNothing(candidate: Candidate): boolean {
  return candidate.split.recomputed === 0;
}

function whyRecompute(
  scenario: Scenario,
  best: Candidate,
  rival: Candidate | undefined,
  candidates: readonly Candidate[],
): string[] {
  const { resident, recomputed, transferred, hostAttended } = best.split;
  const kept = resident > 0 ? `, keeps ${tokens(resident)} resident` : '';
  return [
    `${best.schedule} takes ${formatSeconds(best.stepSeconds)} a step: of ${tokens(resident + recomputed + transferred + hostAttended)} cached tokens it recomputes ${tokens(recomputed)}${kept} and transfers ${tokens(transferred)}.`,
    rival ? whatItSaves(best, rival) : withoutRival(scenario, best, candidates),
    binds(best),
  ];
}

function whatItSaves(best: Candidate, rival: Candidate): string {
  const saved = rival.bytesPerStep.h2d - best.bytesPerStep.h2d;
  const bytes = saved > 0 ? ` and ${formatBytes(saved)} of transfers` : '';
  return `The best plan that recomputes nothing, ${rival.schedule}, takes ${compared(rival, best)}; recomputing saves ${formatSeconds(rival.stepSeconds - best.stepSeconds)} a step${bytes}.`;
}

/** Nothing was there to beat: because it does not fit, or because the scenario does not ask for it. */
function withoutRival(scenario: Scenario, best: Candidate, candidates: readonly Candidate[]): string {
  if (candidates.some(recomputesNothing)) return 'No plan that recomputes nothing fits.';
  const none = 'No plan that recomputes nothing was considered';
  if (!choosesSplit(scenario, best)) return `${none}, so what recomputing saves is not known.`;
  return `${none} beside it; of all its splits, the one without recomputation among them, this one is the fastest.`;
}

function whyNot(scenario: Scenario, best: Candidate, candidates: readonly Candidate[]): string[] {
  const others = candidates.filter((other) => !recomputesNothing(other));
  const fitting = others.find((other) => other.feasible);
  const searched = candidates.filter((other) => other.feasible && choosesSplit(scenario, other));
  const parts = [`${INSTEAD[best.schedule]}: ${best.schedule} takes ${formatSeconds(best.stepSeconds)} a step.`];
  if (fitting) {
    parts.push(
      `The best plan that recomputes, ${fitting.schedule} with ${tokens(fitting.split.recomputed)} tokens, takes ${compared(fitting, best)}.`,
    );
  } else if (searched.length > 0) {
    parts.push(
      `Of all splits of ${searched.map(({ schedule }) => schedule).join(' and ')}, the one that recomputes nothing is the fastest.`,
    );
  } else {
    parts.push(others.length > 0 ? 'No plan that recomputes fits.' : 'No plan that recomputes was considered.');
  }
  const outweighed = activationOutweighsKv(scenario);
  return [...parts, ...(outweighed ? [outweighed] : []), binds(best)];
}

/** Why recomputation cannot take anything off the link; undefined where it can. */
function activationOutweighsKv({ model, precision }: Scenario): string | undefined {
  const activationBytes = model.hidden * bytesPerElement(precision.activations);
  const kvBytes = kvElementsPerTokenPerLayer(model) * bytesPerElement(precision.kv);
  if (activationBytes < kvBytes) return undefined;
  const cache = model.mla
    ? 'latent cache'
    : model.kvHeads < model.heads
      ? `cache of ${model.kvHeads} KV heads for ${model.heads} query heads`
      : 'cache';
  return `Recomputing cannot save transfers here: an activation (${formatBytes(activationBytes)} a token and layer in ${precision.activations}) is no smaller than the KV it replaces (${formatBytes(kvBytes)} in ${precision.kv}), as the ${cache} of ${model.name} is compact already.`;
}

/** Whether the split was the planner's to choose, recomputing nothing being one choice. */
function choosesSplit({ split }: Scenario, { schedule }: Candidate): boolean {
  return split === 'auto' && scheduleNamed(schedule).recompute !== 'none';
}

/** How long a step takes, on its own and beside another's. */
function compared(slower: Candidate, faster: Candidate): string {
  const times = ratio(slower.stepSeconds, faster.stepSeconds);
  return `${formatSeconds(slower.stepSeconds)}${times === undefined ? '' : `, ${times.toFixed(2)} times as long`}`;
}

/** undefined beside what takes no time at all, as on a machine without any cost. */
function ratio(slower: number, faster: number): number | undefined {
  return faster > 0 ? slower / faster : undefined;
}

function binds({ bottleneck, utilisation }: Candidate): string {
  if (bottleneck === 'dependencies') return `What binds is ${BINDS.dependencies}.`;
  return `What binds is ${BINDS[bottleneck]}, busy ${Math.round(100 * utilisation[bottleneck])} % of the time.`;
}

function tokens(count: number): string {
  return Number.isInteger(count) ? String(count) : count.toFixed(1);
}
