import { fairShare } from './fair-share.ts';
import type { CostTable } from './tasks.ts';

const SLOTS = 256;
const IDLE = -1;
/** Shares may exceed a capacity by this much before anyone is slowed: rounding is not contention. */
const SLACK = 1e-12;

/**
 * The fair speeds of every set of work that was seen running together. A pipeline of alike layers meets the same few sets again and
 * again, so that nearly every change of the running set is a look-up.
 */
export class SpeedCache {
  /** `speed[at + s]` is the speed of stream s, where `at` is what `lookUp` returned. */
  readonly speed: Float64Array;
  readonly #streams: number;
  readonly #costs: CostTable;
  readonly #rows: Int32Array;
  readonly #share: Float64Array;
  readonly #load: Float64Array;
  readonly #capacity: Float64Array;
  readonly #packed: Float64Array;

  constructor(streams: number, costs: CostTable) {
    this.#streams = streams;
    this.#costs = costs;
    this.speed = new Float64Array(SLOTS * streams);
    // No stream has this row: an empty slot matches nothing.
    this.#rows = new Int32Array(SLOTS * streams).fill(-2);
    this.#share = new Float64Array(streams * costs.resources);
    this.#load = new Float64Array(costs.resources);
    this.#capacity = new Float64Array(costs.resources);
    this.#packed = new Float64Array(streams);
  }

  /** Finds the speeds for the work rows that run now, one per stream, −1 where a stream draws on nothing. */
  lookUp(row: Int32Array): number {
    const streams = this.#streams;
    const rows = this.#rows;
    let hash = 0;
    for (let s = 0; s < streams; s++) hash = Math.imul(hash ^ (row[s] + 1), 0x9e3779b1);
    const at = (hash >>> 24) * streams;
    for (let s = 0; s < streams; s++) {
      if (rows[at + s] !== row[s]) {
        this.#compute(row, at);
        break;
      }
    }
    return at;
  }

  #compute(row: Int32Array, at: number): void {
    const { resources, share, coupling } = this.#costs;
    const load = this.#load.fill(0);
    const capacity = this.#capacity;
    capacity.set(this.#costs.capacity);
    let running = 0;
    for (let s = 0; s < this.#streams; s++) {
      this.#rows[at + s] = row[s];
      this.speed[at + s] = 1;
      if (row[s] === IDLE) continue;
      for (let r = 0; r < resources; r++) {
        const drawn = share[row[s] * resources + r];
        this.#share[running * resources + r] = drawn;
        load[r] += drawn;
      }
      running++;
    }
    if (coupling && load[coupling.a] > 0 && load[coupling.b] > 0) {
      capacity[coupling.a] *= coupling.factor;
      capacity[coupling.b] *= coupling.factor;
    }
    if (load.every((drawn, r) => drawn <= capacity[r] * (1 + SLACK))) return;
    fairShare(running, resources, this.#share, capacity, this.#packed);
    for (let s = 0, i = 0; s < this.#streams; s++) if (row[s] !== IDLE) this.speed[at + s] = this.#packed[i++];
  }
}
