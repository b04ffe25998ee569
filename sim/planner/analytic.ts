import { matmulFlopsPerSecond } from '../machine/cost.ts';
import { kvElementsPerTokenPerLayer, recomputeFlopsPerTokenPerLayer } from '../model/quantities.ts';
import { bytesPerElement } from '../plan/plan.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { AnalyticSplit } from './result.ts';

/** What one recomputed or transferred token of every sequence costs in one layer, seconds. */
export interface TokenSeconds {
  activation: number;
  recompute: number;
  kv: number;
}

export function tokenSeconds({ model, machine, workload, precision }: AnalyticInput): TokenSeconds {
  const { batch } = workload;
  const { h2dBytesPerSecond } = machine.link;
  return {
    activation: (batch * model.hidden * bytesPerElement(precision.activations)) / h2dBytesPerSecond,
    recompute: (batch * recomputeFlopsPerTokenPerLayer(model)) / matmulFlopsPerSecond(machine, precision.activations),
    kv: (batch * kvElementsPerTokenPerLayer(model) * bytesPerElement(precision.kv)) / h2dBytesPerSecond,
  };
}

export type AnalyticInput = Pick<Scenario, 'model' | 'machine' | 'workload' | 'precision'>;

/**
 * KVPR's row-by-row objective (section 3.2) for one layer and step: X(l) + max(recompute(l), KV(s − l)).
 *
 * @param recomputed l, tokens of each sequence
 * @param context s', tokens of each sequence
 */
export function rowObjectiveSeconds(cost: TokenSeconds, recomputed: number, context: number): number {
  return recomputed * cost.activation + Math.max(recomputed * cost.recompute, (context - recomputed) * cost.kv);
}

/**
 * The split that minimises the paper's row objective at s = promptTokens, 0 ≤ l ≤ promptTokens, in closed form: the objective is convex
 * and linear on both sides of the l at which recomputation takes as long as the rest of the transfer.
 */
export function analyticSplit(input: AnalyticInput): AnalyticSplit {
  const cost = tokenSeconds(input);
  const context = input.workload.promptTokens;
  const balance = cost.recompute + cost.kv > 0 ? (context * cost.kv) / (cost.recompute + cost.kv) : 0;
  const splitTokens = [0, Math.floor(balance), Math.min(context, Math.ceil(balance)), context].reduce((best, l) =>
    rowObjectiveSeconds(cost, l, context) < rowObjectiveSeconds(cost, best, context) ? l : best,
  );
  return {
    splitTokens,
    activationSeconds: splitTokens * cost.activation,
    recomputeSeconds: splitTokens * cost.recompute,
    kvSeconds: (context - splitTokens) * cost.kv,
    objectiveSeconds: rowObjectiveSeconds(cost, splitTokens, context),
  };
}
