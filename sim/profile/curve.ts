/** Seconds at one size. */
export type Knot = readonly [size: number, seconds: number];

/**
 * Time over a size, on straight lines between measured points: it stays below the smallest point, where fixed costs remain, and grows in
 * proportion beyond the largest. It never falls: noise mostly adds, so a point slower than a larger size's is taken to be as fast.
 */
export class Curve {
  readonly #sizes: Float64Array;
  readonly #seconds: Float64Array;

  /** @param knots at least one, of positive sizes that differ */
  constructor(knots: readonly Knot[]) {
    const sorted = [...knots].sort((a, b) => a[0] - b[0]);
    this.#sizes = Float64Array.from(sorted, ([size]) => size);
    this.#seconds = Float64Array.from(sorted, ([, seconds]) => seconds);
    for (let i = sorted.length - 2; i >= 0; i--) this.#seconds[i] = Math.min(this.#seconds[i], this.#seconds[i + 1]);
  }

  get smallest(): number {
    return this.#sizes[0];
  }

  get largest(): number {
    return this.#sizes[this.#sizes.length - 1];
  }

  get sizes(): Iterable<number> {
    return this.#sizes;
  }

  at(size: number): number {
    const sizes = this.#sizes;
    const seconds = this.#seconds;
    const last = sizes.length - 1;
    if (size <= sizes[0]) return seconds[0];
    if (size >= sizes[last]) return seconds[last] * (size / sizes[last]);
    let low = 0;
    let high = last;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (sizes[middle] <= size) low = middle;
      else high = middle;
    }
    const part = (size - sizes[low]) / (sizes[high] - sizes[low]);
    return seconds[low] + part * (seconds[high] - seconds[low]);
  }
}
