import { expect, it } from 'vitest';
import { withNvbandwidth } from '../../../exec/profile/with-nvbandwidth.ts';
import { machineFromProfile } from '../../../sim/profile/machine.ts';
import { type Profile, parseProfile } from '../../../sim/profile/profile.ts';
import { smallProfile } from '../../sim/profile/profiles.ts';

const RATES = { h2d: 20e9, d2h: 10e9, h2dBoth: 16e9, d2hBoth: 5e9 };
const once = (seconds: number) => ({ median: seconds, p05: seconds, p95: seconds, n: 1 });

/** A fixed cost of 5 µs up and 9 µs down, at 25 GB/s. */
const copies = (['h2d', 'd2h'] as const).flatMap((direction) =>
  [1e3, 1e5, 1e10].map((bytes) => {
    return { direction, pinned: true, bytes, seconds: once((direction === 'h2d' ? 5e-6 : 9e-6) + bytes / 25e9) };
  }),
);
const measured = parseProfile({ ...smallProfile(), copies });

const secondsOf = ({ copies }: Profile, direction: string, bytes: number) =>
  copies.find((copy) => copy.direction === direction && copy.bytes === bytes)!.seconds.median;

it('a profile takes nvbandwidth’s rates for its link and keeps the fixed cost of a copy either way and all else', () => {
  const profile = withNvbandwidth(measured, RATES, 'link.json');
  expect(secondsOf(profile, 'h2d', 1e5)).toBeCloseTo(5e-6 + 1e5 / 20e9, 9);
  expect(secondsOf(profile, 'd2h', 1e5)).toBeCloseTo(9e-6 + 1e5 / 10e9, 9);
  expect(secondsOf(profile, 'd2h', 1e3)).toBeCloseTo(9e-6 + 1e3 / 10e9, 9);
  expect(profile.gemm).toEqual(measured.gemm);
  expect(profile.provenance.source.notes?.join()).toContain('link.json');
});

it('both directions at once are slowed as nvbandwidth found, each by itself', () => {
  const profile = withNvbandwidth({ ...measured, duplex: [{ bytes: 1e5, h2d: once(1), d2h: once(1) }] }, RATES, 'x');
  expect(profile.duplex[0].h2d.median).toBeCloseTo(secondsOf(profile, 'h2d', 1e5) / 0.8, 9);
  expect(profile.duplex[0].d2h.median).toBeCloseTo(secondsOf(profile, 'd2h', 1e5) / 0.5, 9);
});

it('both directions at once keep their own slow-down where nvbandwidth measured none', () => {
  const duplex = [{ bytes: 1e10, h2d: once(0.8), d2h: once(1.6) }];
  const rates = { ...RATES, h2dBoth: undefined, d2hBoth: undefined };
  const profile = withNvbandwidth({ ...measured, duplex }, rates, 'x');
  expect(profile.duplex[0].h2d.median).toBeCloseTo(0.5 / 0.5, 4);
  expect(profile.duplex[0].d2h.median).toBeCloseTo(1 / 0.25, 3);
  expect(machineFromProfile(profile).link.duplex).toBeCloseTo(Math.sqrt(0.5 * 0.25), 4);
});
