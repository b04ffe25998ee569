import { simulate } from '../engine/engine.ts';
import { costTable } from '../machine/cost.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { decodePlan } from '../schedule/decode.ts';
import type { LayerGroups } from '../schedule/layer-groups.ts';
import type { Schedule } from '../schedule/schedule.ts';
import type { StepSplit } from '../schedule/token-ranges.ts';
import { decodeRequest } from './decode-setup.ts';

/** Layers that a periodic step is simulated with at first. */
const FEW_LAYERS = 6;
/** Blocks follow each other periodically when their periods agree to this (relative). */
const PERIODIC = 1e-11;

/**
 * Seconds that a step adds to the decode: simulated alone for the first step, behind its predecessor for the others, so that what the
 * predecessor lets overlap is counted. Where layers are alike only a few are simulated, as many as it takes until the blocks follow each
 * other periodically; the rest is the same period again.
 */
export class StepModel {
  readonly #scenario: Scenario;
  readonly #schedule: Schedule;
  readonly #layers: LayerGroups;
  #few = FEW_LAYERS;

  constructor(scenario: Scenario, schedule: Schedule, layers: LayerGroups) {
    this.#scenario = scenario;
    this.#schedule = schedule;
    this.#layers = layers;
  }

  /** @param contexts the step's context, behind its predecessor's where there is one, and their splits likewise */
  seconds(contexts: readonly number[], splits: readonly StepSplit[]): number {
    const all = this.#scenario.model.layers;
    for (let layers = this.#layers.uniform ? Math.min(all, this.#few) : all; ; layers = Math.min(all, 2 * layers)) {
      const seconds = this.#simulated(contexts, splits, layers, all);
      if (seconds !== undefined) return seconds;
      // What was not periodic once will not be so for the next split either.
      this.#few = Math.min(all, 2 * layers);
    }
  }

  #simulated(
    contexts: readonly number[],
    splits: readonly StepSplit[],
    layers: number,
    all: number,
  ): number | undefined {
    const { plan, blockEnds, stepEnds } = decodePlan(
      decodeRequest(this.#scenario, this.#schedule, contexts, splits, layers),
    );
    const { endSeconds } = simulate(plan, costTable(plan.works, this.#scenario.machine));
    const last = contexts.length - 1;
    let seconds = endSeconds[stepEnds[last]] - (last > 0 ? endSeconds[stepEnds[last - 1]] : 0);
    if (layers < all) {
      const blockEnd = (layer: number) => endSeconds[blockEnds[last * layers + layer]];
      const period = blockEnd(layers - 1) - blockEnd(layers - 2);
      for (const back of [2, 3]) {
        const before = blockEnd(layers - back) - blockEnd(layers - back - 1);
        if (Math.abs(before - period) > PERIODIC * blockEnd(layers - 1)) return undefined;
      }
      seconds += (all - layers) * period;
    }
    return seconds;
  }
}
