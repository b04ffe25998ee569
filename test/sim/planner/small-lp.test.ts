import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LinearSeconds, minimumOfMaximum } from '../../../sim/planner/small-lp.ts';

const NO_LIMIT = [1, 1, 1, 1];

/** Some linear equation or the edge of an inequality: coefficients · (x, T) = value. */
interface Plane {
  coefficients: number[];
  value: number;
}

/** Solves n equations in n unknowns by elimination; undefined where they are dependent. */
function intersection(planes: readonly Plane[]): number[] | undefined {
  const rows = planes.map(({ coefficients, value }) => [...coefficients, value]);
  const n = rows.length;
  for (let column = 0; column < n; column++) {
    const pivot = rows
      .slice(column)
      .reduce((best, row) => (Math.abs(row[column]) > Math.abs(best[column]) ? row : best));
    if (Math.abs(pivot[column]) < 1e-9) return undefined;
    rows[rows.indexOf(pivot)] = rows[column];
    rows[column] = pivot.map((value) => value / pivot[column]);
    for (let r = 0; r < n; r++) {
      const factor = rows[r][column];
      if (r !== column) rows[r] = rows[r].map((value, c) => value - factor * rows[column][c]);
    }
  }
  return rows.map((row) => row[n]);
}

/** Every choice of `count` of the items. */
function* choices<T>(items: readonly T[], count: number, from = 0): Generator<T[]> {
  if (count === 0) yield [];
  else
    for (let i = from; i + count <= items.length; i++) {
      for (const rest of choices(items, count - 1, i + 1)) yield [items[i], ...rest];
    }
}

/** The optimum is at a corner: tries all corners of the region and keeps the lowest T of those inside it. */
function lowestCorner(rows: readonly LinearSeconds[], most: readonly number[]): number {
  const ways = most.length;
  const unit = (at: number) => Array.from({ length: ways + 1 }, (_, i) => (i === at ? 1 : 0));
  const all: Plane = { coefficients: [...most.map(() => 1), 0], value: 1 };
  const edges: Plane[] = [
    ...rows.map(({ constant, slope }) => ({ coefficients: [...slope, -1], value: -constant })),
    ...most.map((_, i) => ({ coefficients: unit(i), value: 0 })),
    ...most.map((limit, i) => ({ coefficients: unit(i), value: limit })).filter(({ value }) => value < 1),
  ];
  let lowest = Number.POSITIVE_INFINITY;
  for (const chosen of choices(edges, ways)) {
    const corner = intersection([all, ...chosen]);
    if (!corner) continue;
    const seconds = corner[ways];
    const inside =
      most.every((limit, i) => corner[i] > -1e-9 && corner[i] < limit + 1e-9) &&
      rows.every(({ constant, slope }) => slope.reduce((sum, s, i) => sum + s * corner[i], constant) < seconds + 1e-9);
    if (inside) lowest = Math.min(lowest, seconds);
  }
  return lowest;
}

const rowOf = (ways: number) =>
  fc.record({
    constant: fc.constantFrom(0, 0.25, 1, 3),
    slope: fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 10, noNaN: true })), {
      minLength: ways,
      maxLength: ways,
    }),
  });

const programmes = fc.integer({ min: 1, max: 4 }).chain((ways) =>
  fc.record({
    rows: fc.array(rowOf(ways), { minLength: 1, maxLength: 6 }),
    // The last way is always free.
    most: fc
      .array(fc.constantFrom(0, 0.1, 0.5, 1, 7), { minLength: ways - 1, maxLength: ways - 1 })
      .map((limits) => [...limits, 1]),
  }),
);

describe('minimumOfMaximum', () => {
  it('balances two resources: max(3x, 6(1 − x)) is least at x = 2/3, where it is 2', () => {
    const rows = [
      { constant: 0, slope: [3, 0] },
      { constant: 0, slope: [0, 6] },
    ];
    expect(minimumOfMaximum(rows, [1, 1])).toBeCloseTo(2, 12);
  });

  it('stops at a limit: with x ≤ 1/4 the same is 6 · 3/4', () => {
    const rows = [
      { constant: 0, slope: [3, 0] },
      { constant: 0, slope: [0, 6] },
    ];
    expect(minimumOfMaximum(rows, [0.25, 1])).toBeCloseTo(4.5, 12);
  });

  it('adds constants: max(1 + 3x, 6(1 − x)) is least at x = 5/9, where it is 8/3', () => {
    const rows = [
      { constant: 1, slope: [3, 0] },
      { constant: 0, slope: [0, 6] },
    ];
    expect(minimumOfMaximum(rows, [1, 1])).toBeCloseTo(8 / 3, 12);
  });

  it('shares among four ways that each use a resource of their own: 1/T = 1 + 1/2 + 1/4 + 1/4', () => {
    const rows = [1, 2, 4, 4].map((seconds, i) => ({
      constant: 0,
      slope: NO_LIMIT.map((_, j) => (i === j ? seconds : 0)),
    }));
    expect(minimumOfMaximum(rows, NO_LIMIT)).toBeCloseTo(1 / 2, 12);
  });

  it('is the highest constant where a way costs nothing, or nothing costs anything', () => {
    expect(
      minimumOfMaximum(
        [
          { constant: 2, slope: [5, 0] },
          { constant: 3, slope: [1, 0] },
        ],
        [1, 1],
      ),
    ).toBe(3);
    expect(minimumOfMaximum([{ constant: 2, slope: [0, 0] }], [1, 1])).toBe(2);
  });

  it('is the lowest corner of the region, on random programmes', () => {
    fc.assert(
      fc.property(programmes, ({ rows, most }) => {
        expect(minimumOfMaximum(rows, most)).toBeCloseTo(lowestCorner(rows, most), 7);
      }),
      { numRuns: 600 },
    );
  });

  it('is not above any point of a grid', () => {
    fc.assert(
      fc.property(fc.array(rowOf(3), { minLength: 1, maxLength: 6 }), fc.constantFrom(0.3, 1), (rows, limit) => {
        let lowest = Number.POSITIVE_INFINITY;
        for (let i = 0; i <= 20 * limit; i++) {
          for (let j = 0; i + j <= 20; j++) {
            const x = [i / 20, j / 20, (20 - i - j) / 20];
            lowest = Math.min(
              lowest,
              Math.max(...rows.map(({ constant, slope }) => slope.reduce((sum, s, w) => sum + s * x[w], constant))),
            );
          }
        }
        const least = minimumOfMaximum(rows, [limit, 1, 1]);
        expect(least).toBeLessThanOrEqual(lowest + 1e-9);
        // A grid point is at most 1/20 from the best one in each of two directions.
        expect(least).toBeGreaterThan(lowest - 1.01);
      }),
      { numRuns: 300 },
    );
  });

  it('scales with its seconds, from nanoseconds to days', () => {
    fc.assert(
      fc.property(programmes, fc.constantFrom(1e-9, 1e-4, 1e5), ({ rows, most }, factor) => {
        const scaled = rows.map(({ constant, slope }) => ({
          constant: constant * factor,
          slope: slope.map((seconds) => seconds * factor),
        }));
        expect(minimumOfMaximum(scaled, most) / factor).toBeCloseTo(minimumOfMaximum(rows, most), 7);
      }),
    );
  });
});
