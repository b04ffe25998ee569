/** Time shared by sections in proportion to their weights; what one leaves over is the later ones'. */
export class Budget {
  readonly #end: number;
  #weight: number;

  constructor(seconds: number, weights: readonly number[]) {
    this.#end = performance.now() / 1e3 + seconds;
    this.#weight = weights.reduce((sum, weight) => sum + weight, 0);
  }

  /** Seconds for the next section. */
  next(weight: number): number {
    const left = Math.max(0, this.#end - performance.now() / 1e3);
    const share = weight / this.#weight;
    this.#weight -= weight;
    return left * share;
  }
}
