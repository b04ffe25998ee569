/** A typed array that grows; `trimmed` is what was pushed. */
export class Column<T extends Uint8Array | Uint16Array | Uint32Array | Float64Array> {
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

export const u8 = (length: number) => new Uint8Array(length);
export const u16 = (length: number) => new Uint16Array(length);
export const u32 = (length: number) => new Uint32Array(length);
export const f64 = (length: number) => new Float64Array(length);
