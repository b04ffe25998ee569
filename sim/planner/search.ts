/** Improvements smaller than this (relative) are rounding. */
const TIE = 1e-12;

export interface Minimum {
  at: number;
  value: number;
}

interface Interval {
  from: number;
  to: number;
  /** No value in it is smaller. */
  floor: number;
}

/**
 * Smallest value of a function on the integers 0..last by branch and bound.
 *
 * @param guesses where to look first; good ones prune more
 * @param evaluate the function
 * @param bounds each at most every value on from..to, the cheapest first; the tighter as the interval shrinks, the fewer evaluations
 * @param tolerance relative excess over the minimum that will do; 0: none
 */
export function minimise(
  last: number,
  guesses: readonly number[],
  evaluate: (at: number) => number,
  bounds: readonly ((from: number, to: number) => number)[],
  tolerance = 0,
): Minimum {
  const enough = 1 - Math.max(tolerance, TIE);
  let best: Minimum = { at: guesses[0], value: evaluate(guesses[0]) };
  const offer = (at: number) => {
    const value = evaluate(at);
    if (value < best.value * (1 - TIE)) best = { at, value };
  };
  for (const at of new Set(guesses.slice(1))) offer(at);

  const open: Interval[] = [];
  const add = (from: number, to: number) => {
    let floor = 0;
    for (const bound of bounds) {
      if (from > to || floor >= best.value * enough) return;
      floor = Math.max(floor, bound(from, to));
    }
    if (floor < best.value * enough) open.push({ from, to, floor });
  };
  // The guesses are known already; what lies between them is open.
  const known = [...new Set(guesses)].sort((a, b) => a - b);
  for (const [i, at] of known.entries()) add(i > 0 ? known[i - 1] + 1 : 0, at - 1);
  add(known[known.length - 1] + 1, last);

  while (open.length > 0) {
    // Best first: the lowest floor is where a better value may be.
    const next = open.reduce((lowest, interval, i) => (interval.floor < open[lowest].floor ? i : lowest), 0);
    const [{ from, to, floor }] = open.splice(next, 1);
    if (floor >= best.value * enough) break;
    const middle = Math.floor((from + to) / 2);
    offer(middle);
    add(from, middle - 1);
    add(middle + 1, to);
  }
  return best;
}
