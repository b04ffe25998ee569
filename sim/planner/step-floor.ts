import { costTable } from '../machine/cost.ts';
import { Kind } from '../plan/plan.ts';
import { WorkBuilder } from '../plan/work-builder.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { LayerGroups } from '../schedule/layer-groups.ts';
import { LayerWork } from '../schedule/layer-work.ts';
import type { Schedule } from '../schedule/schedule.ts';
import { elementBytes, extentsOf } from '../schedule/sizes.ts';
import type { SplitTokens } from '../schedule/split-tokens.ts';
import type { Steps } from '../schedule/token-ranges.ts';

/**
 * A floor under the end of a step that is cheap to compute: kernels follow each other on one stream, copies on another, and in series a
 * layer's take turns. It tells the search where not to simulate.
 */
export class StepFloor {
  readonly #scenario: Scenario;
  readonly #schedule: Schedule;
  readonly #layers: LayerGroups;
  readonly #kernelSeconds: (context: number) => number;

  /** @param kernelSeconds seconds of a step's kernels without any fetch or recomputation */
  constructor(scenario: Scenario, schedule: Schedule, layers: LayerGroups, kernelSeconds: (context: number) => number) {
    this.#scenario = scenario;
    this.#schedule = schedule;
    this.#layers = layers;
    this.#kernelSeconds = kernelSeconds;
  }

  /** @param steps whose counts may add up to less than their contexts: the least work of a range of splits */
  seconds({ contexts, splits }: Steps): number {
    const { microBatches } = this.#scenario.workload;
    let series = 0;
    let link = 0;
    let compute = 0;
    contexts.forEach((context, step) => {
      const kernels = this.#kernelSeconds(context);
      series += kernels;
      compute += kernels;
      splits[step].forEach((tokens, g) => {
        const cost = this.#layerSeconds(tokens);
        const places = this.#layers.groups[g].layers * microBatches;
        series += places * (cost.activation + Math.max(cost.recompute, cost.kv));
        link += places * (cost.activation + cost.kv);
        compute += places * cost.recompute;
      });
    });
    return this.#schedule.prefetch ? Math.max(compute, link) : series;
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
