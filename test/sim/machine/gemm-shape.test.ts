import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gemmShapeEfficiency } from '../../../sim/machine/gemm-shape.ts';

const extents = fc.integer({ min: 1, max: 20_000 });
const batches = fc.integer({ min: 1, max: 64 });
const gpus = fc.constantFrom(0, 20, 93, 108, 132);

describe('the shape efficiency of a GEMM', () => {
  it('is a share of the peak: above 0, at most 1', () => {
    fc.assert(
      fc.property(extents, extents, extents, batches, gpus, (m, n, k, batch, multiprocessors) => {
        const share = gemmShapeEfficiency(m, n, k, batch, multiprocessors);
        expect(share).toBeGreaterThan(0);
        expect(share).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1000 },
    );
  });

  it('never makes more rows take less time', () => {
    const rows = fc.oneof(fc.integer({ min: 1, max: 300 }), extents, fc.double({ min: 1, max: 300, noNaN: true }));
    fc.assert(
      fc.property(
        rows,
        fc.oneof(fc.constant(1), rows),
        extents,
        extents,
        batches,
        gpus,
        (m, more, n, k, batch, gpu) => {
          const time = (of: number) => of / gemmShapeEfficiency(of, n, k, batch, gpu);
          expect(time(m + more)).toBeGreaterThanOrEqual(time(m) * (1 - 1e-12));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('is 1 for whole tiles in whole waves', () => {
    // 12 · 9 = 108 tiles of 128 × 128, one on each of 108 multiprocessors, once and twice.
    expect(gemmShapeEfficiency(12 * 128, 9 * 128, 4096, 1, 108)).toBe(1);
    expect(gemmShapeEfficiency(12 * 128, 9 * 128, 4096, 2, 108)).toBe(1);
    expect(gemmShapeEfficiency(256, 1024, 64, 1, 0)).toBe(1);
  });

  it('is what a last wave leaves: 109 tiles on 108 multiprocessors take two waves', () => {
    expect(gemmShapeEfficiency(109 * 128, 128, 4096, 1, 108)).toBeCloseTo(109 / 216, 12);
  });

  it('is what padding leaves: 129 rows fill two tiles of 128, 100 columns one', () => {
    expect(gemmShapeEfficiency(129, 128, 64, 1, 0)).toBeCloseTo(129 / 256, 12);
    expect(gemmShapeEfficiency(128, 100, 64, 1, 0)).toBeCloseTo(100 / 128, 12);
  });

  it('pads few rows only to the fragments of 16 of the tensor cores', () => {
    expect(gemmShapeEfficiency(1, 128, 64, 1, 0)).toBeCloseTo(1 / 16, 12);
    expect(gemmShapeEfficiency(17, 128, 64, 1, 0)).toBeCloseTo(17 / 32, 12);
    expect(gemmShapeEfficiency(64, 128, 64, 1, 0)).toBe(1);
  });

  it('splits small outputs along k, in slices of at least 512, to fill the multiprocessors', () => {
    // 32 tiles on 108: three slices fit, if k has three times 512; 96 of 108 are then busy.
    expect(gemmShapeEfficiency(64, 4096, 4096, 1, 108)).toBeCloseTo(96 / 108, 12);
    expect(gemmShapeEfficiency(64, 4096, 1024, 1, 108)).toBeCloseTo(64 / 108, 12);
    expect(gemmShapeEfficiency(64, 4096, 100, 1, 108)).toBeCloseTo(32 / 108, 12);
  });

  it('fills every multiprocessor from one tile, whatever their number', () => {
    for (const multiprocessors of [93, 99, 105, 108, 117, 132]) {
      expect(gemmShapeEfficiency(128, 128, 512 * multiprocessors, 1, multiprocessors)).toBeCloseTo(1, 12);
    }
  });
});
