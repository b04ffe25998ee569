import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minimise } from '../../../sim/planner/search.ts';

/** Runs the search on a table of values and says how many of them it looked at. */
function search(values: readonly number[], guesses: readonly number[], floors = [leastOf(values)]) {
  const seen = new Set<number>();
  const found = minimise(
    values.length - 1,
    guesses,
    (at) => {
      seen.add(at);
      return values[at];
    },
    floors,
  );
  return { ...found, evaluated: seen.size };
}

/** The tightest valid bound: the least value itself. */
const leastOf = (values: readonly number[]) => (from: number, to: number) => Math.min(...values.slice(from, to + 1));

/** Sum of a rising and a falling part: the bound takes the least of each, as the planner's does. */
function partsOf(rising: readonly number[], falling: readonly number[]) {
  return {
    values: rising.map((up, i) => Math.max(up, falling[i])),
    floor: (from: number, to: number) => Math.max(rising[from], falling[to]),
  };
}

const steps = fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 2, maxLength: 200 });
const cumulated = (increments: readonly number[]) => {
  let sum = 1;
  return increments.map((step) => {
    sum += step;
    return sum;
  });
};

describe('minimise', () => {
  it('finds the minimum of a convex function', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: -0.2, max: 1.2, noNaN: true }),
        fc.double({ min: 0.01, max: 3, noNaN: true }),
        (last, share, slope) => {
          const values = Array.from({ length: last + 1 }, (_, i) => 10 + slope * (i - share * last) ** 2);
          expect(search(values, [0]).value / Math.min(...values)).toBeCloseTo(1, 11);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('finds the minimum of staircases that rise and fall, with the bound of their parts', () => {
    fc.assert(
      fc.property(steps, steps, fc.integer({ min: 1, max: 16 }), fc.nat(), (up, down, tread, guess) => {
        const length = Math.min(up.length, down.length);
        const stair = (values: readonly number[]) => values.map((_, i) => values[tread * Math.floor(i / tread)]);
        const rising = stair(cumulated(up.slice(0, length)));
        const falling = stair(cumulated(down.slice(0, length))).reverse();
        const { values, floor } = partsOf(rising, falling);
        expect(search(values, [guess % length], [floor]).value / Math.min(...values)).toBeCloseTo(1, 11);
      }),
      { numRuns: 300 },
    );
  });

  it('finds the minimum of any function, whatever the guesses and however loose the bounds', () => {
    const values = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(
        values,
        fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (table, picks, looseness) => {
          const tight = leastOf(table);
          const loose = (from: number, to: number) => (1 - looseness) * tight(from, to);
          const guesses = picks.map((pick) => pick % table.length);
          const found = search(table, guesses, [loose, tight]);
          expect(found.value).toBeLessThanOrEqual(Math.min(...table) * (1 + 1e-11));
          expect(found.value).toBe(table[found.at]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('keeps the first guess where nothing is better than it', () => {
    expect(search(new Array<number>(50).fill(7), [13])).toMatchObject({ at: 13, value: 7 });
  });

  it('evaluates every point where the bound says nothing, and the better the bound the fewer', () => {
    const values = Array.from({ length: 1000 }, (_, i) => 5 + Math.abs(i - 333) / 10);
    const nothing = search(values, [0], [() => 0]);
    const slack = search(values, [0], [(from, to) => 0.9 * leastOf(values)(from, to)]);
    const tight = search(values, [0]);
    expect(nothing.evaluated).toBe(1000);
    expect(slack.evaluated).toBeLessThan(200);
    expect(tight.evaluated).toBeLessThan(20);
    expect([nothing.at, slack.at, tight.at]).toEqual([333, 333, 333]);
  });

  it('asks a dear bound only where the cheap one does not rule the interval out', () => {
    const values = Array.from({ length: 100 }, (_, i) => 5 + i);
    const asked: number[] = [];
    const dear = (from: number, to: number) => {
      asked.push(from);
      return leastOf(values)(from, to);
    };
    search(values, [0], [leastOf(values), dear]);
    expect(asked).toEqual([]);
  });

  it('is within 1e-5 of the minimum where there are thousands of points', () => {
    const values = Array.from({ length: 20_001 }, (_, i) => 1000 + Math.abs(i - 12_345) / 100);
    const found = search(values, [0], [(from, to) => 1000 + Math.max(0, from - 12_345, 12_345 - to) / 100]);
    expect(found.value).toBeLessThanOrEqual(1000 * (1 + 1e-5));
    expect(found.evaluated).toBeLessThan(100);
  });
});
