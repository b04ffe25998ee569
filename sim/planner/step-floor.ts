import { costTable } from '../machine/cost.ts';
import { Kind } from '../plan/plan.ts';
import { WorkBuilder } from '../plan/work-builder.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { LayerGroups } from '../schedule/layer-groups.ts';
import { elementBytes, extentsOf, LayerWork } from '../schedule/layer-work.ts';
import type { Schedule } from '../schedule/schedule.ts';
import type { SplitTokens } from '../schedule/split-tokens.ts';
import type { StepSplit } from '../schedule/token-ranges.ts';

/** Fetches that can be complete before a step begins: one in each slot. */
const AHEAD = 2;

/**
 * A floor under a step's seconds that is cheap to compute: kernels follow each other on one stream, copies on another, and in series a
 * layer's take turns. It tells the search where not to simulate.
 */
export class StepFloor {
  readonly #scenario: Scenario;
  readonly #schedule: Schedule;
  readonly #layers: LayerGroups;
  readonly #kernels: number;

  /** @param kernels seconds of the step's kernels without any fetch or recomputation */
  constructor(scenario: Scenario, schedule: Schedule, layers: LayerGroups, kernels: number) {
    this.#scenario = scenario;
    this.#schedule = schedule;
    this.#layers = layers;
    this.#kernels = kernels;
  }

  /** @param split counts that may add up to less than the context: the least work of a range of splits */
  seconds(split: StepSplit): number {
    const { microBatches } = this.#scenario.workload;
    let series = 0;
    let link = 0;
    let recompute = 0;
    let longestFetch = 0;
    split.forEach((tokens, g) => {
      const cost = this.#layerSeconds(tokens);
      const places = this.#layers.groups[g].layers * microBatches;
      series += places * (cost.activation + Math.max(cost.recompute, cost.kv));
      link += places * (cost.activation + cost.kv);
      recompute += places * cost.recompute;
      longestFetch = Math.max(longestFetch, cost.activation + cost.kv);
    });
    if (!this.#schedule.prefetch) return this.#kernels + series;
    return Math.max(this.#kernels + recompute, link - AHEAD * longestFetch);
  }

  /** Seconds of a layer's fetches and recomputation for one micro-batch, each alone on the machine. */
  #layerSeconds({ recomputed, transferred }: SplitTokens): { activation: number; recompute: number; kv: number } {
    const { model, machine, workload, precision } = this.#scenario;
    const builder = new WorkBuilder();
    const work = new LayerWork(builder, model, workload.batch, precision);
    const size = elementBytes(precision);
    const extent = extentsOf(model);
    const token = { x: workload.batch * model.hidden * size.activations, kv: workload.batch * extent.kv * size.kv };
    const activation = recomputed > 0 ? work.copy(Kind.copyH2d, 1, recomputed * token.x) : undefined;
    const kv = transferred > 0 ? work.copy(Kind.copyH2d, 1, transferred * token.kv) : undefined;
    const recompute = recomputed > 0 ? work.recompute(recomputed) : undefined;
    const costs = costTable(builder.build(), machine);
    const alone = (row: number | undefined) => (row === undefined ? 0 : costs.latencySeconds[row] + costs.seconds[row]);
    return { activation: alone(activation), recompute: alone(recompute), kv: alone(kv) };
  }
}
