import { simulate } from '../engine/engine.ts';
import { costTable } from '../machine/cost.ts';
import { Stream } from '../plan/plan.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { LayerGroups } from '../schedule/layer-groups.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { NO_TOKENS } from '../schedule/split-tokens.ts';
import { attendedBy, type Steps } from '../schedule/token-ranges.ts';
import { PlanTemplates } from './plan-templates.ts';

/** Layers that a periodic step is simulated with at first. */
const FEW_LAYERS = 8;
/** Layers before the end of a step that are no longer periodic: nothing, or the next step's first layers, is fetched during them. */
const LAST_LAYERS = 2;
/** Blocks follow each other periodically when their periods agree to this (relative). */
const PERIODIC = 1e-11;

/**
 * Seconds that a step adds to the decode: simulated alone for the first step, behind its predecessor for the others, so that what the
 * predecessor lets overlap is counted. Where layers are alike only a few are simulated, as many as it takes until the blocks follow each
 * other periodically; the rest is the same period again.
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
  seconds(steps: Steps): number {
    const all = this.#scenario.model.layers;
    for (let layers = this.#layers.uniform ? Math.min(all, FEW_LAYERS) : all; ; layers = Math.min(all, 2 * layers)) {
      const seconds = this.#simulated(steps, layers, all);
      if (seconds !== undefined) return seconds;
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
    const last = steps.contexts.length - 1;
    let seconds = endSeconds[stepEnds[last]] - (last > 0 ? endSeconds[stepEnds[last - 1]] : 0);
    if (layers < all) {
      const blockEnd = (layer: number) => endSeconds[blockEnds[last * layers + layer]];
      const period = (layer: number) => blockEnd(layer) - blockEnd(layer - 1);
      const steady = layers - 1 - LAST_LAYERS;
      for (const before of [1, 2]) {
        if (Math.abs(period(steady - before) - period(steady)) > PERIODIC * blockEnd(steady)) return undefined;
      }
      seconds += (all - layers) * period(steady);
    }
    return seconds;
  }
}
