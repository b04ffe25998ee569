import { fairShare } from './fair-share.ts';
import type { CostTable } from './tasks.ts';

const SLOTS = 256;
/** Instead of a row: a stream that draws on nothing. */
export const IDLE = -1;
/** Instead of a row: a slot that was never filled. */
const EMPTY = -2;
/** Shares may exceed a capacity by this much before anyone is slowed: rounding is not contention. */
const SLACK = 1e-12;
/** 2^32 divided by the golden ratio: its multiples scatter over the upper bits. */
const SCATTER = 0x9e3779b1;

/**
 * The fair speeds of every set of work that was seen running together. A pipeline of alike layers meets the same few sets again and
 * again, so that nearly every change of the running set is a look-up.
 */
export class SpeedCache {
  /** `speed[at + s]` is the speed of stream s, where `at` is what `lookUp` returned; 1 for idle streams. */
  readonly speed: Float64Array;
  readonly #streams: number;
  readonly #costs: CostTable;
  /** Work row of each stream now. */
  readonly #row: Int32Array;
  /** A sum over streams, so that it follows from one stream's change without a look at the others. */
  #hash = 0;
  readonly #salt: Int32Array;
  /** The rows that each slot holds the speeds of. */
  readonly #rows: Int32Array;
  readonly #load: Float64Array;
  /** What each resource can give to the work that runs now. */
  readonly #available: Float64Array;
  readonly #scarce: Int32Array;
  readonly #capacity: Float64Array;
  readonly #share: Float64Array;
  readonly #packed: Float64Array;

  constructor(streams: number, costs: CostTable) {
    this.#streams = streams;
    this.#costs = costs;
    this.speed = new Float64Array(SLOTS * streams);
    this.#row = new Int32Array(streams).fill(IDLE);
    this.#salt = new Int32Array(streams);
    for (let s = 0, salt = SCATTER; s < streams; s++, salt = Math.imul(salt, SCATTER)) this.#salt[s] = salt;
    this.#rows = new Int32Array(SLOTS * streams).fill(EMPTY);
    this.#load = new Float64Array(costs.resources);
    this.#available = new Float64Array(costs.resources);
    this.#scarce = new Int32Array(costs.resources);
    this.#capacity = new Float64Array(costs.resources);
    this.#share = new Float64Array(streams * costs.resources);
    this.#packed = new Float64Array(streams);
  }

  /** Lets a stream do a row of work from now on, or IDLE. */
  set(stream: number, row: number): void {
    this.#hash = (this.#hash + Math.imul(row - this.#row[stream], this.#salt[stream])) | 0;
    this.#row[stream] = row;
  }

  /** Finds the speeds of the work that runs now. */
  lookUp(): number {
    const streams = this.#streams;
    const rows = this.#rows;
    const row = this.#row;
    const at = (this.#hash >>> 24) * streams;
    for (let s = 0; s < streams; s++) {
      if (rows[at + s] !== row[s]) {
        this.#compute(at);
        break;
      }
    }
    return at;
  }

  #compute(at: number): void {
    const { resources, share, capacity, couplings } = this.#costs;
    const row = this.#row;
    this.#rows.set(row, at);
    this.speed.fill(1, at, at + this.#streams);
    const load = this.#load.fill(0);
    for (let s = 0; s < this.#streams; s++) {
      if (row[s] === IDLE) continue;
      for (let r = 0; r < resources; r++) load[r] += share[row[s] * resources + r];
    }

    const available = this.#available;
    available.set(capacity);
    for (let c = 0; c < couplings.length; c++) {
      const { a, b, factorA, factorB } = couplings[c];
      if (load[a] === 0 || load[b] === 0) continue;
      available[a] *= factorA;
      available[b] *= factorB;
    }

    // Only resources of which more is asked than they have can slow anyone.
    let scarce = 0;
    for (let r = 0; r < resources; r++) {
      if (load[r] <= available[r] * (1 + SLACK)) continue;
      this.#scarce[scarce] = r;
      this.#capacity[scarce++] = available[r];
    }
    if (scarce === 0) return;

    let running = 0;
    for (let s = 0; s < this.#streams; s++) {
      if (row[s] === IDLE) continue;
      for (let i = 0; i < scarce; i++) this.#share[running * scarce + i] = share[row[s] * resources + this.#scarce[i]];
      running++;
    }
    fairShare(running, scarce, this.#share, this.#capacity, this.#packed);
    for (let s = 0, i = 0; s < this.#streams; s++) if (row[s] !== IDLE) this.speed[at + s] = this.#packed[i++];
  }
}
