import { simulate } from '../engine/engine.ts';
import { costTable } from '../machine/cost.ts';
import { Stream } from '../plan/plan.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { LayerGroups } from '../schedule/layer-groups.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { NO_TOKENS } from '../schedule/split-tokens.ts';
import { attendedBy, type Steps } from '../schedule/token-ranges.ts';
import { PlanTemplates } from './plan-templates.ts';

/** Layers that a step is simulated with at first, at least. */
const FEW_LAYERS = 8;
/** Beyond this many layers the last period seen counts as the period: close to balance, link and GPU take long to settle. */
const MOST_LAYERS = 64;
/** Layers before the end of a step that are no longer periodic: nothing, or the next step's first layers, is fetched during them. */
const LAST_LAYERS = 2;
/** Blocks follow each other periodically when their periods agree to this (relative). */
const PERIODIC = 1e-11;

/**
 * When a step ends: the first step simulated alone, a later one behind its predecessor, so that what overlaps is counted. Only a few
 * layers are simulated, as many as it takes until alike blocks follow each other periodically; the rest is the same period again.
 */
export class StepModel {
  readonly #scenario: Scenario;
  readonly #layers: LayerGroups;
  readonly #templates: PlanTemplates;

  constructor(scenario: Scenario, schedule: Schedule, layers: LayerGroups) {
    this.#scenario = scenario;
    this.#layers = layers;
    this.#templates = new PlanTemplates(scenario, schedule);
  }

  /** @param steps the step, behind its predecessor where there is one */
  endSeconds(steps: Steps): number {
    const all = this.#scenario.model.layers;
    const { lead, period } = this.#layers;
    // Enough to compare three periods before the last layers.
    for (
      let periods = Math.max(Math.ceil(FEW_LAYERS / period), 3 + Math.ceil((1 + LAST_LAYERS) / period));
      ;
      periods *= 2
    ) {
      // The pattern must end with the same kind of layer as the whole model's.
      const layers = Math.min(all, lead + periods * period + ((all - lead) % period));
      const end = this.#simulated(steps, layers, all);
      if (end !== undefined) return end;
    }
  }

  /** Seconds of the step's kernels alone, one after another, without any fetch or recomputation. */
  kernelSeconds(context: number): number {
    const split = this.#layers.groups.map((group) => ({ ...NO_TOKENS, resident: attendedBy(group, context) }));
    const { plan } = this.#templates.plan({ contexts: [context], splits: [split] }, this.#scenario.model.layers);
    const { seconds, latencySeconds } = costTable(plan.works, this.#scenario.machine);
    let total = 0;
    for (let i = 0; i < plan.count; i++) {
      if (plan.stream[i] === Stream.compute) total += latencySeconds[plan.work[i]] + seconds[plan.work[i]];
    }
    return total;
  }

  #simulated(steps: Steps, layers: number, all: number): number | undefined {
    const { plan, blockEnds, stepEnds } = this.#templates.plan(steps, layers);
    const { endSeconds } = simulate(plan, costTable(plan.works, this.#scenario.machine));
    const { period } = this.#layers;
    let end = endSeconds[stepEnds[stepEnds.length - 1]];
    for (let step = 0; layers < all && step < stepEnds.length; step++) {
      const blockEnd = (layer: number) => endSeconds[blockEnds[step * layers + layer]];
      const span = (layer: number) => blockEnd(layer) - blockEnd(layer - period);
      const steady = layers - 1 - LAST_LAYERS;
      for (const before of [1, 2]) {
        const settled = Math.abs(span(steady - before * period) - span(steady)) <= PERIODIC * blockEnd(steady);
        if (!settled && layers < MOST_LAYERS) return undefined;
      }
      end += ((all - layers) / period) * span(steady);
    }
    return end;
  }
}
