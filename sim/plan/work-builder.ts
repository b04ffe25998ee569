import { firstRows, grown } from './columns.ts';
import type { WorkTable } from './plan.ts';

const ROOM = 64;

/** Builds a table of work row by row; alike operations should share one. */
export class WorkBuilder {
  #count = 0;
  #columns = {
    kind: new Uint8Array(ROOM),
    dtype: new Uint8Array(ROOM),
    m: new Float64Array(ROOM),
    n: new Float64Array(ROOM),
    k: new Float64Array(ROOM),
    batch: new Float64Array(ROOM),
    flops: new Float64Array(ROOM),
    bytes: new Float64Array(ROOM),
  };

  /** Adds a row, with extents as in `WorkTable`, and returns its index. */
  add(
    kind: number,
    dtype: number,
    m: number,
    n: number,
    k: number,
    batch: number,
    flops: number,
    bytes: number,
  ): number {
    const at = this.#count++;
    if (at === this.#columns.kind.length) this.#columns = grown(this.#columns);
    const columns = this.#columns;
    columns.kind[at] = kind;
    columns.dtype[at] = dtype;
    columns.m[at] = m;
    columns.n[at] = n;
    columns.k[at] = k;
    columns.batch[at] = batch;
    columns.flops[at] = flops;
    columns.bytes[at] = bytes;
    return at;
  }

  build(): WorkTable {
    return { count: this.#count, ...firstRows(this.#columns, this.#count) };
  }
}
