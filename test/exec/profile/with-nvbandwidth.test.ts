import { expect, it } from 'vitest';
import { withNvbandwidth } from '../../../exec/profile/with-nvbandwidth.ts';
import { machineFromProfile } from '../../../sim/profile/machine.ts';
import { parseProfile } from '../../../sim/profile/profile.ts';
import { smallProfile } from '../../sim/profile/profiles.ts';

const testcase = (name: string, rate: string) => ({ name, status: 'Passed', bandwidth_matrix: [[rate]] });

it('a profile takes nvbandwidth’s rates for its link and keeps the fixed cost of a copy and all else', () => {
  const measured = parseProfile(smallProfile());
  const testcases = [
    testcase('host_to_device_memcpy_ce', '20'),
    testcase('device_to_host_memcpy_ce', '10'),
    testcase('host_to_device_bidirectional_memcpy_ce', '16'),
    testcase('device_to_host_bidirectional_memcpy_ce', '8'),
  ];
  const profile = withNvbandwidth(measured, { nvbandwidth: { testcases } }, 'link.json');
  const seconds = (direction: string, bytes: number) =>
    profile.copies.find((copy) => copy.direction === direction && copy.bytes === bytes)!.seconds.median;
  expect((1e7 - 1e5) / (seconds('h2d', 1e7) - seconds('h2d', 1e5))).toBeCloseTo(20e9, -4);
  expect((1e7 - 1e5) / (seconds('d2h', 1e7) - seconds('d2h', 1e5))).toBeCloseTo(10e9, -4);
  expect(machineFromProfile(profile).link.duplex).toBeCloseTo(0.8, 9);
  expect(seconds('h2d', 1e3)).toBeCloseTo(machineFromProfile(measured).link.latencySeconds + 1e3 / 20e9, 9);
  expect(profile.gemm).toEqual(measured.gemm);
  expect(profile.provenance.source.notes?.join()).toContain('link.json');
});
