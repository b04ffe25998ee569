/** Improvements smaller than this (relative) are rounding. */
const TIE = 1e-12;

export interface Minimum {
  at: number;
  value: number;
}

/**
 * Smallest value of a function on the integers 0..last, exactly, by branch and bound.
 *
 * @param guess where to look first; a good guess prunes more
 * @param evaluate the function
 * @param bound at most every value on from..to; the tighter as the interval shrinks, the fewer evaluations
 */
export function minimise(
  last: number,
  guess: number,
  evaluate: (at: number) => number,
  bound: (from: number, to: number) => number,
): Minimum {
  let best: Minimum = { at: guess, value: evaluate(guess) };
  const open: [number, number][] = [[0, last]];
  for (let interval = open.pop(); interval; interval = open.pop()) {
    const [from, to] = interval;
    if (from === to) {
      const value = from === best.at ? best.value : evaluate(from);
      if (value < best.value * (1 - TIE)) best = { at: from, value };
      continue;
    }
    if (bound(from, to) >= best.value * (1 - TIE)) continue;
    const middle = Math.floor((from + to) / 2);
    open.push([from, middle], [middle + 1, to]);
    // The half nearer to the best so far is looked at first: what it finds may close the other.
    if (best.at <= middle) open.push(open.splice(-2, 1)[0]);
  }
  return best;
}
