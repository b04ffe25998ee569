import { describe, expect, it } from 'vitest';
import { type PcieGeneration, type PcieLanes, pcieLink, pcieRawBytesPerSecond } from '../../../sim/machine/pcie.ts';

describe('PCIe', () => {
  it.each<[PcieGeneration, number]>([
    [1, 0.25],
    [2, 0.5],
    [3, 0.985],
    [4, 1.969],
    [5, 3.938],
    [6, 7.5625],
  ])('carries per lane, direction and second in generation %d: %d GB', (generation, gigabytes) => {
    expect(pcieRawBytesPerSecond({ generation, lanes: 1 }) / 1e9).toBeCloseTo(gigabytes, 3);
  });

  it('carries in proportion to its lanes', () => {
    for (const lanes of [1, 2, 4, 8, 16] satisfies PcieLanes[]) {
      const one = pcieRawBytesPerSecond({ generation: 4, lanes: 1 });
      expect(pcieRawBytesPerSecond({ generation: 4, lanes })).toBeCloseTo(lanes * one, 3);
    }
  });

  it.each<[PcieGeneration, number, number]>([
    [3, 12, 13],
    [4, 25, 26],
    [5, 54, 56],
  ])('reaches over 16 lanes of generation %d what is measured: %d to %d GB/s', (generation, least, most) => {
    const { h2dBytesPerSecond, d2hBytesPerSecond } = pcieLink({ generation, lanes: 16 });
    expect(h2dBytesPerSecond).toBeGreaterThanOrEqual(least * 1e9);
    expect(h2dBytesPerSecond).toBeLessThanOrEqual(most * 1e9);
    expect(d2hBytesPerSecond).toBe(h2dBytesPerSecond);
  });

  it('never reaches its raw rate', () => {
    for (const generation of [1, 2, 3, 4, 5, 6] satisfies PcieGeneration[]) {
      const slot = { generation, lanes: 16 } as const;
      expect(pcieLink(slot).h2dBytesPerSecond).toBeLessThan(pcieRawBytesPerSecond(slot));
    }
  });
});
