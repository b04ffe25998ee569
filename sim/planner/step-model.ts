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
  readonly #kernelSeconds = new Map<number, number>();

  constructor(scenario: Scenario, schedule: Schedule, layers: LayerGroups) {
    this.#scenario = scenario;
    this.#layers = layers;
    this.#templates = new PlanTemplates(scenario, schedule);
  }

  /** @param steps the step, behind its predecessor where there is one */
  endSeconds(steps: Steps): number {
    return this.#ends(steps).reduce((sum, seconds) => sum + seconds, 0);
  }

  /** Seconds that the last of the steps adds to the decode. */
  addedSeconds(steps: Steps): number {
    return this.#ends(steps)[steps.contexts.length - 1];
  }

  /** Seconds that each step adds. */
  #ends(steps: Steps): number[] {
    const all = this.#scenario.model.layers;
    for (let layers = fewestLayers(this.#layers, all); ; layers = withPattern(2 * layers, this.#layers, all)) {
      const ends = this.#simulated(steps, layers, all);
      if (ends) return ends;
    }
  }

  /** Seconds of the step's kernels alone, one after another, without any fetch or recomputation. */
  kernelSeconds(context: number): number {
    // A search asks for a context again and again.
    const known = this.#kernelSeconds.get(context);
    if (known !== undefined) return known;
    const split = this.#layers.groups.map((group) => ({ ...NO_TOKENS, resident: attendedBy(group, context) }));
    const { plan } = this.#templates.plan({ contexts: [context], splits: [split] }, this.#scenario.model.layers);
    const { seconds, latencySeconds } = costTable(plan.works, this.#scenario.machine);
    let total = 0;
    for (let i = 0; i < plan.count; i++) {
      if (plan.stream[i] === Stream.compute) total += latencySeconds[plan.work[i]] + seconds[plan.work[i]];
    }
    this.#kernelSeconds.set(context, total);
    return total;
  }

  #simulated(steps: Steps, layers: number, all: number): number[] | undefined {
    const { plan, blockEnds, fetchEnds, stepEnds } = this.#templates.plan(steps, layers);
    const { endSeconds } = simulate(plan, costTable(plan.works, this.#scenario.machine));
    const { period } = this.#layers;
    const added = Array.from(
      stepEnds,
      (end, step) => endSeconds[end] - (step > 0 ? endSeconds[stepEnds[step - 1]] : 0),
    );
    for (let step = 0; layers < all && step < stepEnds.length; step++) {
      const at = (layer: number) => step * layers + layer;
      const blockSpan = (layer: number) => endSeconds[blockEnds[at(layer)]] - endSeconds[blockEnds[at(layer - period)]];
      const fetchSpan = (layer: number) => endSeconds[fetchEnds[at(layer)]] - endSeconds[fetchEnds[at(layer - period)]];
      const steady = layers - 1 - LAST_LAYERS;
      const span = blockSpan(steady);
      const same = (other: number) => Math.abs(other - span) <= PERIODIC * endSeconds[blockEnds[at(steady)]];
      // While the GPU works off what was fetched before it, blocks look settled though the link is slower: fetches must keep step too.
      const fetches = fetchEnds[at(steady)] < 0 || fetchEnds[at(steady - period)] < 0 || same(fetchSpan(steady));
      const settled = same(blockSpan(steady - period)) && same(blockSpan(steady - 2 * period)) && fetches;
      if (!settled && layers < MOST_LAYERS) return undefined;
      added[step] += ((all - layers) / period) * span;
    }
    return added;
  }
}

/** Layers that a step is simulated with at first: enough to compare three periods before the last layers. */
export function fewestLayers(layers: LayerGroups, all: number): number {
  return withPattern(Math.max(FEW_LAYERS, layers.lead + 3 * layers.period + 1 + LAST_LAYERS), layers, all);
}

/** At least so many layers, ending with the same kind of layer as the whole model; all of them at most. */
function withPattern(wanted: number, { lead, period }: LayerGroups, all: number): number {
  const tail = (all - lead) % period;
  const periods = Math.ceil(Math.max(0, wanted - lead - tail) / period);
  return Math.min(all, lead + periods * period + tail);
}
