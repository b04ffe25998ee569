import fc from 'fast-check';
import { expect, it } from 'vitest';
import { summariseRepeats } from '../../exec/repeats.ts';

it('puts the median between the 5th and the 95th percentile, and all three among the repeats', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 1e-9, max: 1e3, noNaN: true }), { minLength: 1 }), (seconds) => {
      const { median, p05, p95, n } = summariseRepeats(seconds);
      expect(n).toBe(seconds.length);
      expect(p05).toBeLessThanOrEqual(median);
      expect(median).toBeLessThanOrEqual(p95);
      expect(p05).toBeGreaterThanOrEqual(Math.min(...seconds));
      expect(p95).toBeLessThanOrEqual(Math.max(...seconds));
    }),
  );
});

it('takes the mean of the middle two of an even number of repeats', () => {
  expect(summariseRepeats([4, 1, 3, 2]).median).toBe(2.5);
});
