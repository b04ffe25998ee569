import type { ModelShape } from '../model/shape.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { type DecodePlan, decodePlan } from '../schedule/decode.ts';
import { decodeWork } from '../schedule/decode-work.ts';
import { type LayerGroups, layerGroups } from '../schedule/layer-groups.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { type Steps, tokenRanges } from '../schedule/token-ranges.ts';
import { decodeRequest } from './decode-setup.ts';

/**
 * Plans of a few steps under one schedule, for looking at many splits. Splits that leave out the same things differ in their work alone:
 * operations and dependencies are built once for each kind, the work every time. Operands and buffers are those of the first split seen.
 */
export class PlanTemplates {
  readonly #scenario: Scenario;
  readonly #schedule: Schedule;
  readonly #known = new Map<string, DecodePlan>();
  readonly #shapes = new Map<number, { shape: ModelShape; groups: LayerGroups }>();

  constructor(scenario: Scenario, schedule: Schedule) {
    this.#scenario = scenario;
    this.#schedule = schedule;
  }

  plan(steps: Steps, layers: number): DecodePlan {
    const { shape, groups } = this.#withLayers(layers);
    const request = { ...decodeRequest(this.#scenario, this.#schedule, steps), shape };
    const key = kindOf(steps, groups, layers);
    const known = this.#known.get(key);
    if (known) return { ...known, plan: { ...known.plan, works: decodeWork(request, groups).table } };
    const built = decodePlan(request);
    this.#known.set(key, built);
    return built;
  }

  #withLayers(layers: number): { shape: ModelShape; groups: LayerGroups } {
    const known = this.#shapes.get(layers);
    if (known) return known;
    const { model } = this.#scenario;
    const shape = layers === model.layers ? model : { ...model, layers };
    const made = { shape, groups: layerGroups(shape) };
    this.#shapes.set(layers, made);
    return made;
  }
}

/** Steps of one kind have the same operations and dependencies: they serve tokens in the same ways, earlier steps' new tokens among them. */
function kindOf(steps: Steps, groups: LayerGroups, layers: number): string {
  let key = `${layers}`;
  const [first] = steps.contexts;
  for (const step of tokenRanges(groups.groups, steps)) {
    for (const { from, residentEnd, recomputedEnd, transferredEnd, context } of step) {
      key += ',';
      const ends = [from, residentEnd, recomputedEnd, transferredEnd, context];
      for (let way = 0; way + 1 < ends.length; way++)
        key += ends[way + 1] === ends[way] ? 0 : ends[way + 1] > first ? 2 : 1;
    }
  }
  return key;
}
