import { describe, expect, it } from 'vitest';
import { relativeError, summariseErrors } from '../../../exec/validate/accuracy.ts';

describe('errors of predictions', () => {
  it('are relative to the measurement and never negative', () => {
    expect(relativeError(1.1, 1)).toBeCloseTo(0.1, 12);
    expect(relativeError(0.9, 1)).toBeCloseTo(0.1, 12);
    expect(relativeError(1, 2)).toBe(0.5);
  });

  it('are summed up by their median, 95th percentile and mean', () => {
    const errors = Array.from({ length: 100 }, (_, i) => (i + 1) / 100);
    const { median, p95, mape } = summariseErrors(errors.reverse());
    expect(median).toBeCloseTo(0.505, 12);
    expect(p95).toBeGreaterThanOrEqual(0.95);
    expect(p95).toBeLessThanOrEqual(0.96);
    expect(mape).toBeCloseTo(0.505, 12);
  });
});
