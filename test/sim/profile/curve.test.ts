import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Curve } from '../../../sim/profile/curve.ts';
import { CurveFamily } from '../../../sim/profile/curve-family.ts';

const knots = fc.uniqueArray(
  fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 1e-6, max: 1, noNaN: true })),
  { selector: ([size]) => size, minLength: 1, maxLength: 10 },
);

describe('a curve', () => {
  it('is straight between points, flat below the first and in proportion beyond the last', () => {
    const curve = new Curve([
      [100, 5],
      [10, 2],
    ]);
    expect([1, 10, 55, 100, 400].map((size) => curve.at(size))).toEqual([2, 2, 3.5, 5, 20]);
  });

  it('takes a point that is slower than a larger one to be as fast', () => {
    const curve = new Curve([
      [1, 1],
      [2, 9],
      [4, 3],
    ]);
    expect([1, 1.5, 2, 4].map((size) => curve.at(size))).toEqual([1, 2, 3, 3]);
  });

  it('never falls', () => {
    const sizes = fc.tuple(
      fc.double({ min: 0, max: 2000, noNaN: true }),
      fc.double({ min: 0, max: 2000, noNaN: true }),
    );
    fc.assert(
      fc.property(knots, sizes, (points, [a, b]) => {
        const curve = new Curve(points);
        expect(curve.at(Math.min(a, b))).toBeLessThanOrEqual(curve.at(Math.max(a, b)) * (1 + 1e-12));
      }),
    );
  });
});

describe('curves of several shapes', () => {
  /** Shapes are widths; time is in proportion to them. */
  const family = (points: readonly [width: number, size: number, seconds: number][]) =>
    new CurveFamily(
      points.map(([width, size, seconds]) => ({ shape: width, knot: [size, seconds] as const })),
      (from: number, to: number) => ({ stretch: 1, factor: to / from, distance: Math.abs(Math.log(to / from)) }),
    );
  const at = (curves: CurveFamily<number>, width: number, size: number) => curves.curve(String(width), width).at(size);

  it('give a measured shape its own curve, whatever the others say', () => {
    const curves = family([
      [8, 1, 1],
      [8, 9, 3],
      [9, 1, 100],
      [9, 4, 100],
      [9, 9, 100],
    ]);
    expect([1, 4, 5, 9].map((size) => at(curves, 8, size))).toEqual([1, 1.75, 2, 3]);
  });

  it('estimate a shape from those near it, each in proportion and the nearer the more', () => {
    // Width 2 lies as far from 1 as from 4: 10 · 2 and 12 · 2 / 4 count alike. Width 3 is nearer to 4.
    const curves = family([
      [1, 5, 10],
      [4, 5, 12],
    ]);
    expect(at(curves, 2, 5)).toBeCloseTo((20 + 6) / 2, 12);
    const [far, near] = [1 / Math.log(3) ** 2, 1 / Math.log(4 / 3) ** 2];
    expect(at(curves, 3, 5)).toBeCloseTo((far * 30 + near * 9) / (far + near), 12);
  });

  it('ask others where a curve does not reach, and stay above what was measured below it', () => {
    // Measured at width 8 up to size 2 alone; at 7 and 9 beyond.
    const curves = family([
      [8, 1, 1],
      [8, 2, 1.5],
      [7, 64, 7],
      [9, 64, 9],
    ]);
    expect(at(curves, 8, 2)).toBe(1.5);
    expect(at(curves, 8, 64)).toBeGreaterThan(7.9);
    // In proportion to its last point it would be 48.
    expect(at(curves, 8, 64)).toBeLessThan(9);
    expect(
      at(
        family([
          [8, 2, 5],
          [9, 64, 1],
        ]),
        8,
        64,
      ),
    ).toBe(5);
  });
});
