import { Column, f64, u8 } from './column.ts';
import type { WorkTable } from './plan.ts';

/** Builds a table of work row by row; alike operations should share one. */
export class WorkBuilder {
  readonly #kind = new Column(u8, 32);
  readonly #dtype = new Column(u8, 32);
  readonly #m = new Column(f64, 32);
  readonly #n = new Column(f64, 32);
  readonly #k = new Column(f64, 32);
  readonly #batch = new Column(f64, 32);
  readonly #flops = new Column(f64, 32);
  readonly #bytes = new Column(f64, 32);

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
    this.#kind.push(kind);
    this.#dtype.push(dtype);
    this.#m.push(m);
    this.#n.push(n);
    this.#k.push(k);
    this.#batch.push(batch);
    this.#flops.push(flops);
    this.#bytes.push(bytes);
    return this.#kind.length - 1;
  }

  build(): WorkTable {
    return {
      count: this.#kind.length,
      kind: this.#kind.trimmed(),
      dtype: this.#dtype.trimmed(),
      m: this.#m.trimmed(),
      n: this.#n.trimmed(),
      k: this.#k.trimmed(),
      batch: this.#batch.trimmed(),
      flops: this.#flops.trimmed(),
      bytes: this.#bytes.trimmed(),
    };
  }
}
