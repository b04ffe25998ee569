import { Column, f64, u8, u16, u32 } from './column.ts';
import type { Buffer, Plan, Pool, WorkTable } from './plan.ts';

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

  build(works: WorkTable, extent: { layers: number; steps: number; microBatches: number }): Plan {
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
      works,
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
