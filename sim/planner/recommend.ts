import type { Scenario } from '../scenario/scenario.ts';
import type { ScheduleName } from '../schedule/names.ts';
import { formatBytes, formatSeconds } from '../units/format.ts';
import type { Bottleneck, Candidate, ModelSummary, Recommendation } from './result.ts';

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

/** @param candidates best first, those that do not fit last */
export function recommend(
  scenario: Scenario,
  model: ModelSummary,
  candidates: readonly Candidate[],
): Recommendation | null {
  const best = candidates[0];
  if (!best?.feasible) return null;
  const rival = candidates.find((other) => other !== best && other.feasible && recomputesNothing(other));
  const speedup = rival ? rival.decodeSeconds / best.decodeSeconds : 1;
  const pays = !recomputesNothing(best) && (!rival || speedup > 1 + SAME);
  return {
    schedule: best.schedule,
    split: best.split,
    speedup,
    verdict: pays ? 'recompute' : 'do-not-recompute',
    because: pays ? whyRecompute(best, rival) : whyNot(scenario, model, best, candidates),
  };
}

/** Recomputed tokens of any step count: the first step's split is what is shown, and every later one follows from it. */
function recomputesNothing(candidate: Candidate): boolean {
  return candidate.split.recomputed === 0;
}

function whyRecompute(best: Candidate, rival: Candidate | undefined): string {
  const { recomputed, transferred } = best.split;
  const parts = [
    `${best.schedule} takes ${formatSeconds(best.stepSeconds)} a step: of ${tokens(recomputed + transferred + best.split.resident)} cached tokens it recomputes ${tokens(recomputed)} and transfers ${tokens(transferred)}.`,
  ];
  if (rival) {
    const saved = rival.bytesPerStep.h2d - best.bytesPerStep.h2d;
    parts.push(
      `The best plan that recomputes nothing, ${rival.schedule}, takes ${formatSeconds(rival.stepSeconds)}, ${times(rival.stepSeconds / best.stepSeconds)} as long; recomputing saves ${formatSeconds(rival.stepSeconds - best.stepSeconds)} a step${saved > 0 ? ` and ${formatBytes(saved)} of transfers` : ''}.`,
    );
  } else {
    parts.push('No plan that recomputes nothing fits.');
  }
  parts.push(binds(best));
  return parts.join(' ');
}

function whyNot(scenario: Scenario, model: ModelSummary, best: Candidate, candidates: readonly Candidate[]): string {
  const parts = [`${INSTEAD[best.schedule]}: ${best.schedule} takes ${formatSeconds(best.stepSeconds)} a step.`];
  const recomputing = candidates.find((other) => other !== best && other.feasible && !recomputesNothing(other));
  const x = model.activationBytesPerTokenPerLayer;
  const kv = model.kvBytesPerTokenPerLayer;
  if (recomputing) {
    parts.push(
      `The best plan that recomputes, ${recomputing.schedule} with ${tokens(recomputing.split.recomputed)} tokens, takes ${formatSeconds(recomputing.stepSeconds)}, ${times(recomputing.stepSeconds / best.stepSeconds)} as long.`,
    );
  }
  if (x >= kv) {
    parts.push(
      `Recomputing cannot save transfers here: an activation (${formatBytes(x)} a token and layer at fp16) is no smaller than the KV it replaces (${formatBytes(kv)}), as the ${scenario.model.mla ? 'latent cache' : `${scenario.model.kvHeads} KV heads for ${scenario.model.heads} query heads`} of ${model.name} ${scenario.model.mla ? 'is' : 'are'} compact already.`,
    );
  } else if (!recomputing) {
    parts.push(
      'No plan considered recomputes anything: the split that recomputes 0 tokens is the fastest of each schedule.',
    );
  }
  parts.push(binds(best));
  return parts.join(' ');
}

function binds({ bottleneck, utilisation }: Candidate): string {
  if (bottleneck === 'dependencies') return `What binds is ${BINDS.dependencies}.`;
  return `What binds is ${BINDS[bottleneck]}, busy ${Math.round(100 * utilisation[bottleneck])} % of the time.`;
}

function tokens(count: number): string {
  return Number.isInteger(count) ? String(count) : count.toFixed(1);
}

function times(ratio: number): string {
  return `${ratio.toFixed(2)} times`;
}
