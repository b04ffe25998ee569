import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatFlops,
  formatFlopsPerSecond,
  formatRate,
  formatSeconds,
} from '../../../sim/units/format.ts';

describe('formatting for people', () => {
  it('keeps three significant digits and all digits before the point', () => {
    expect(formatSeconds(0.0215437)).toBe('21.5 ms');
    expect(formatSeconds(8e-6)).toBe('8 µs');
    expect(formatSeconds(4321.9)).toBe('4322 s');
  });

  it('moves to the next unit when rounding reaches it', () => {
    expect(formatSeconds(0.0009996)).toBe('1 ms');
    expect(formatRate(999.96e9)).toBe('1 TB/s');
  });

  it('writes sizes in binary units', () => {
    expect(formatBytes(40 * 2 ** 30)).toBe('40 GiB');
    expect(formatBytes(1376256)).toBe('1.31 MiB');
    expect(formatBytes(512)).toBe('512 B');
    expect(formatBytes(0)).toBe('0 B');
  });

  it('writes rates and arithmetic in decimal units', () => {
    expect(formatRate(25.52e9)).toBe('25.5 GB/s');
    expect(formatFlopsPerSecond(312e12)).toBe('312 TFLOP/s');
    expect(formatFlops(134217728)).toBe('134 MFLOP');
  });

  it('says inf for a rate without bound', () => {
    expect(formatRate(Number.POSITIVE_INFINITY)).toBe('inf');
  });

  it('uses the smallest unit for what is smaller still, and plain seconds for zero', () => {
    expect(formatSeconds(1.25e-11)).toBe('0.0125 ns');
    expect(formatSeconds(0)).toBe('0 s');
  });

  it('keeps the sign', () => {
    expect(formatSeconds(-0.002)).toBe('-2 ms');
  });
});
