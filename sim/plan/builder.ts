import { firstRows, grown } from './columns.ts';
import { type Buffer, type Plan, type PlanModel, type Pool, Role, type WorkTable } from './plan.ts';

/** No operation: what `after` ignores, so that callers need not ask whether there was one before. */
export const NONE = -1;

/** Rows that the first columns have room for, where nothing better is known. */
const ROOM = 256;

const operationColumns = (rows: number) => ({
  stream: new Uint8Array(rows),
  group: new Uint8Array(rows),
  layer: new Uint16Array(rows),
  step: new Uint32Array(rows),
  microBatch: new Uint16Array(rows),
  token: new Uint32Array(rows),
  work: new Uint32Array(rows),
  dependencyStart: new Uint32Array(rows),
  operandStart: new Uint32Array(rows),
});

const operandColumns = (rows: number) => ({
  buffer: new Uint32Array(rows),
  role: new Uint8Array(rows),
  offsetBytes: new Float64Array(rows),
  rowBytes: new Float64Array(rows),
  rows: new Uint32Array(rows),
  strideBytes: new Float64Array(rows),
  write: new Uint8Array(rows),
});

/**
 * Builds a plan operation by operation. `operation` opens one; `after`, `reads`, `writes` and `operand` speak of the one opened last.
 */
export class PlanBuilder {
  #operations: ReturnType<typeof operationColumns>;
  #operands: ReturnType<typeof operandColumns>;
  #dependencies: { on: Uint32Array };
  #operationCount = 0;
  #operandCount = 0;
  #dependencyCount = 0;
  readonly #buffers: Buffer[] = [];

  /** @param operations about how many operations will come */
  constructor(operations = ROOM) {
    // One row more: the starts end with the totals.
    this.#operations = operationColumns(operations + 1);
    this.#operands = operandColumns(3 * operations + 1);
    this.#dependencies = { on: new Uint32Array(operations + 1) };
  }

  buffer(name: string, pool: Pool, bytes: number, persistent = false): number {
    return this.#buffers.push({ name, pool, bytes, persistent }) - 1;
  }

  operation(
    stream: number,
    group: number,
    layer: number,
    step: number,
    microBatch: number,
    work: number,
    token = 0,
  ): number {
    const at = this.#operationCount++;
    if (this.#operationCount === this.#operations.stream.length) this.#operations = grown(this.#operations);
    const operations = this.#operations;
    operations.stream[at] = stream;
    operations.group[at] = group;
    operations.layer[at] = layer;
    operations.step[at] = step;
    operations.microBatch[at] = microBatch;
    operations.token[at] = token;
    operations.work[at] = work;
    operations.dependencyStart[at] = this.#dependencyCount;
    operations.operandStart[at] = this.#operandCount;
    return at;
  }

  /** Makes the open operation wait for another; the order within a stream needs no words. */
  after(operation: number): void {
    const current = this.#operationCount - 1;
    const { stream, dependencyStart } = this.#operations;
    if (operation === NONE || stream[operation] === stream[current]) return;
    for (let e = dependencyStart[current]; e < this.#dependencyCount; e++) {
      if (this.#dependencies.on[e] === operation) return;
    }
    this.#dependencies.on[this.#dependencyCount++] = operation;
    if (this.#dependencyCount === this.#dependencies.on.length) this.#dependencies = grown(this.#dependencies);
  }

  /** An operand that is simply the input. */
  reads(buffer: number, offsetBytes: number, rowBytes: number, rows = 1, strideBytes = rowBytes): void {
    this.operand(Role.input, false, buffer, offsetBytes, rowBytes, rows, strideBytes);
  }

  /** An operand that is simply the output. */
  writes(buffer: number, offsetBytes: number, rowBytes: number, rows = 1, strideBytes = rowBytes): void {
    this.operand(Role.output, true, buffer, offsetBytes, rowBytes, rows, strideBytes);
  }

  operand(
    role: number,
    write: boolean,
    buffer: number,
    offset: number,
    rowBytes: number,
    rows = 1,
    stride = rowBytes,
  ): void {
    const at = this.#operandCount++;
    const operands = this.#operands;
    operands.buffer[at] = buffer;
    operands.offsetBytes[at] = offset;
    operands.rowBytes[at] = rowBytes;
    operands.rows[at] = rows;
    operands.strideBytes[at] = stride;
    operands.write[at] = Number(write);
    operands.role[at] = role;
    if (this.#operandCount === operands.buffer.length) this.#operands = grown(operands);
  }

  build(works: WorkTable, model: PlanModel, extent: { layers: number; steps: number; microBatches: number }): Plan {
    const count = this.#operationCount;
    this.#operations.dependencyStart[count] = this.#dependencyCount;
    this.#operations.operandStart[count] = this.#operandCount;
    const { dependencyStart, operandStart, ...operations } = this.#operations;
    return {
      count,
      ...firstRows(operations, count),
      dependencyStart: dependencyStart.subarray(0, count + 1),
      dependency: this.#dependencies.on.subarray(0, this.#dependencyCount),
      works,
      operands: { start: operandStart.subarray(0, count + 1), ...firstRows(this.#operands, this.#operandCount) },
      buffers: this.#buffers,
      model,
      ...extent,
    };
  }
}
