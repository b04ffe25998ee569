/** Improvements smaller than this (relative) are rounding. */
const TIE = 1e-12;

export interface Minimum {
  at: number;
  value: number;
}

/**
 * Smallest value of a function on the integers 0..last, exactly, by branch and bound.
 *
 * @param guesses where to look first; good ones prune more
 * @param evaluate the function
 * @param bounds each at most every value on from..to, the cheapest first; the tighter as the interval shrinks, the fewer evaluations
 */
export function minimise(
  last: number,
  guesses: readonly number[],
  evaluate: (at: number) => number,
  bounds: readonly ((from: number, to: number) => number)[],
): Minimum {
  let best: Minimum = { at: guesses[0], value: evaluate(guesses[0]) };
  for (const at of guesses.slice(1)) {
    const value = evaluate(at);
    if (value < best.value * (1 - TIE)) best = { at, value };
  }
  const open: [number, number][] = [[0, last]];
  for (let interval = open.pop(); interval; interval = open.pop()) {
    const [from, to] = interval;
    if (from === to && from === best.at) continue;
    const limit = best.value * (1 - TIE);
    if (bounds.some((bound) => bound(from, to) >= limit)) continue;
    if (from === to) {
      const value = evaluate(from);
      if (value < limit) best = { at: from, value };
      continue;
    }
    const middle = Math.floor((from + to) / 2);
    open.push([from, middle], [middle + 1, to]);
    // The half nearer to the best so far is looked at first: what it finds may close the other.
    if (best.at <= middle) open.push(open.splice(-2, 1)[0]);
  }
  return best;
}
