import type { Buffer, Plan, Pool } from './plan.ts';

/** A typed array that grows; `trimmed` is what was pushed. */
class Column<T extends Uint8Array | Uint16Array | Uint32Array | Float64Array> {
  data: T;
  length = 0;
  readonly #make: (length: number) => T;

  constructor(make: (length: number) => T, capacity: number) {
    this.#make = make;
    this.data = make(capacity);
  }

  push(value: number): void {
    if (this.length === this.data.length) {
      const grown = this.#make(2 * this.length);
      grown.set(this.data);
      this.data = grown;
    }
    this.data[this.length++] = value;
  }

  trimmed(): T {
    return this.data.subarray(0, this.length) as T;
  }
}

const u8 = (length: number) => new Uint8Array(length);
const u16 = (length: number) => new Uint16Array(length);
const u32 = (length: number) => new Uint32Array(length);
const f64 = (length: number) => new Float64Array(length);

/** No operation: what `after` ignores, so that callers need not ask whether there was one before. */
export const NONE = -1;

/**
 * Builds a plan operation by operation. `operation` opens one; `after`, `reads` and `writes` speak of the one opened last.
 */
export class PlanBuilder {
  readonly #stream: Column<Uint8Array>;
  readonly #group: Column<Uint8Array>;
  readonly #layer: Column<Uint16Array>;
  readonly #step: Column<Uint32Array>;
  readonly #microBatch: Column<Uint16Array>;
  readonly #work: Column<Uint32Array>;
  readonly #dependencyStart: Column<Uint32Array>;
  readonly #dependency: Column<Uint32Array>;
  readonly #operandStart: Column<Uint32Array>;
  readonly #buffer: Column<Uint32Array>;
  readonly #offset: Column<Float64Array>;
  readonly #rowBytes: Column<Float64Array>;
  readonly #rows: Column<Uint32Array>;
  readonly #stride: Column<Float64Array>;
  readonly #write: Column<Uint8Array>;
  readonly #kind = new Column(u8, 32);
  readonly #dtype = new Column(u8, 32);
  readonly #m = new Column(f64, 32);
  readonly #n = new Column(f64, 32);
  readonly #k = new Column(f64, 32);
  readonly #batch = new Column(f64, 32);
  readonly #flops = new Column(f64, 32);
  readonly #bytes = new Column(f64, 32);
  readonly #buffers: Buffer[] = [];

  /** @param operations about how many operations will come */
  constructor(operations = 256) {
    this.#stream = new Column(u8, operations);
    this.#group = new Column(u8, operations);
    this.#layer = new Column(u16, operations);
    this.#step = new Column(u32, operations);
    this.#microBatch = new Column(u16, operations);
    this.#work = new Column(u32, operations);
    this.#dependencyStart = new Column(u32, operations + 1);
    this.#dependency = new Column(u32, operations);
    this.#operandStart = new Column(u32, operations + 1);
    this.#buffer = new Column(u32, 3 * operations);
    this.#offset = new Column(f64, 3 * operations);
    this.#rowBytes = new Column(f64, 3 * operations);
    this.#rows = new Column(u32, 3 * operations);
    this.#stride = new Column(f64, 3 * operations);
    this.#write = new Column(u8, 3 * operations);
  }

  buffer(name: string, pool: Pool, bytes: number, persistent = false): number {
    return this.#buffers.push({ name, pool, bytes, persistent }) - 1;
  }

  /** Adds a row of work; alike operations should share one. Extents as in `WorkTable`. */
  work(
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

  operation(stream: number, group: number, layer: number, step: number, microBatch: number, work: number): number {
    this.#stream.push(stream);
    this.#group.push(group);
    this.#layer.push(layer);
    this.#step.push(step);
    this.#microBatch.push(microBatch);
    this.#work.push(work);
    this.#dependencyStart.push(this.#dependency.length);
    this.#operandStart.push(this.#buffer.length);
    return this.#stream.length - 1;
  }

  /** Makes the open operation wait for another; the order within a stream needs no words. */
  after(operation: number): void {
    const current = this.#stream.length - 1;
    if (operation === NONE || this.#stream.data[operation] === this.#stream.data[current]) return;
    for (let e = this.#dependencyStart.data[current]; e < this.#dependency.length; e++) {
      if (this.#dependency.data[e] === operation) return;
    }
    this.#dependency.push(operation);
  }

  reads(buffer: number, offsetBytes: number, rowBytes: number, rows = 1, strideBytes = rowBytes): void {
    this.#operand(buffer, offsetBytes, rowBytes, rows, strideBytes, 0);
  }

  writes(buffer: number, offsetBytes: number, rowBytes: number, rows = 1, strideBytes = rowBytes): void {
    this.#operand(buffer, offsetBytes, rowBytes, rows, strideBytes, 1);
  }

  #operand(buffer: number, offset: number, rowBytes: number, rows: number, stride: number, write: number): void {
    this.#buffer.push(buffer);
    this.#offset.push(offset);
    this.#rowBytes.push(rowBytes);
    this.#rows.push(rows);
    this.#stride.push(stride);
    this.#write.push(write);
  }

  build(extent: { layers: number; steps: number; microBatches: number }): Plan {
    this.#dependencyStart.push(this.#dependency.length);
    this.#operandStart.push(this.#buffer.length);
    return {
      count: this.#stream.length,
      stream: this.#stream.trimmed(),
      group: this.#group.trimmed(),
      layer: this.#layer.trimmed(),
      step: this.#step.trimmed(),
      microBatch: this.#microBatch.trimmed(),
      work: this.#work.trimmed(),
      dependencyStart: this.#dependencyStart.trimmed(),
      dependency: this.#dependency.trimmed(),
      works: {
        count: this.#kind.length,
        kind: this.#kind.trimmed(),
        dtype: this.#dtype.trimmed(),
        m: this.#m.trimmed(),
        n: this.#n.trimmed(),
        k: this.#k.trimmed(),
        batch: this.#batch.trimmed(),
        flops: this.#flops.trimmed(),
        bytes: this.#bytes.trimmed(),
      },
      operands: {
        start: this.#operandStart.trimmed(),
        buffer: this.#buffer.trimmed(),
        offsetBytes: this.#offset.trimmed(),
        rowBytes: this.#rowBytes.trimmed(),
        rows: this.#rows.trimmed(),
        strideBytes: this.#stride.trimmed(),
        write: this.#write.trimmed(),
      },
      buffers: this.#buffers,
      ...extent,
    };
  }
}
