import { PlanBuilder } from '../../sim/plan/builder.ts';
import type { Plan } from '../../sim/plan/plan.ts';
import { WorkBuilder } from '../../sim/plan/work-builder.ts';
import { isCopy, type Probe } from './probe.ts';
import type { Regions } from './regions.ts';

/** So many operations alike, one after another. */
export interface Chain {
  lane: number;
  probe: Probe;
  count: number;
}

/** Which operations of a plan are a chain's. */
export interface ChainRange {
  first: number;
  count: number;
}

/** Chains that run at the same time; operations of the first chain come first. */
export function chainPlan(regions: Regions, chains: readonly Chain[]): { plan: Plan; ranges: ChainRange[] } {
  const operations = new ChainBuilder(regions, chains);
  const ranges = chains.map(({ count }, chain) => {
    const first = operations.add(chain);
    for (let i = 1; i < count; i++) operations.add(chain);
    return { first, count };
  });
  return { plan: operations.build(), ranges };
}

/** Two chains whose operations take turns, each waiting for the one before, so that every one is handed over to another stream. */
export function alternatingPlan(regions: Regions, chains: readonly [Chain, Chain]): Plan {
  const operations = new ChainBuilder(regions, chains);
  let last = operations.add(0);
  for (let i = 1; i < chains[0].count + chains[1].count; i++) last = operations.add(i % 2, last);
  return operations.build();
}

class ChainBuilder {
  readonly #regions: Regions;
  readonly #chains: readonly Chain[];
  readonly #builder: PlanBuilder;
  readonly #works = new WorkBuilder();
  readonly #rows: number[];

  constructor(regions: Regions, chains: readonly Chain[]) {
    this.#regions = regions;
    this.#chains = chains;
    this.#builder = new PlanBuilder(chains.reduce((sum, { count }) => sum + count, 0));
    for (const { name, pool, bytes } of regions.buffers) this.#builder.buffer(name, pool, bytes, true);
    this.#rows = chains.map(({ probe: { kind, dtype, m, n, k, batch, flops, bytes } }) =>
      this.#works.add(kind, dtype, m, n, k, batch, flops, bytes),
    );
  }

  add(chain: number, after?: number): number {
    const { lane, probe } = this.#chains[chain];
    const operation = this.#builder.operation(probe.stream, probe.group, 0, 0, 0, this.#rows[chain], probe.token);
    if (after !== undefined) this.#builder.after(after);
    const places = this.#regions.place(lane, probe);
    for (const { role, write, area, offsetBytes, rowBytes, rows, strideBytes } of probe.operands) {
      const place = places[area];
      this.#builder.operand(role, write, place.buffer, place.offsetBytes + offsetBytes, rowBytes, rows, strideBytes);
    }
    return operation;
  }

  build(): Plan {
    // Copies need no numbers of a model, so that a kernel's beside them are the plan's.
    const { probe } = this.#chains.find((chain) => !isCopy(chain.probe)) ?? this.#chains[0];
    return this.#builder.build(this.#works.build(), probe.model, { layers: 1, steps: 1, microBatches: 1 });
  }
}
