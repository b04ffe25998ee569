import { expect, it } from 'vitest';
import type { DeviceOptions } from '../../../exec/native.ts';
import { measureProfile } from '../../../exec/profile/measure.ts';
import { scenarioPlans } from '../../../exec/profile/scenario-plans.ts';
import { plan } from '../../../sim/index.ts';
import { machineFromProfile } from '../../../sim/profile/machine.ts';
import { COPY_DIRECTIONS, ELEMENTWISE_KINDS, parseProfile } from '../../../sim/profile/profile.ts';
import { describeNative } from '../native/available.ts';
import { roundTrip } from '../native/small-plans.ts';
import { TINY, tinyScenario } from './scenarios.ts';

const DEVICE: DeviceOptions = { backend: 'cpu', hostThreads: 1 };

describeNative('a profile measured on the CPU', () => {
  const plans = scenarioPlans(tinyScenario());
  const measuring = measureProfile({ device: { ...DEVICE, linkBytesPerSecond: 4e9 }, plans, minutes: 0.1 });

  it('is a valid profile that explains itself', async () => {
    const profile = await measuring;
    expect(parseProfile(JSON.parse(JSON.stringify(profile)))).toEqual(profile);
    const { backend, linkBytesPerSecond, source } = profile.provenance;
    expect({ backend, linkBytesPerSecond, kind: source.kind }).toEqual({
      backend: 'cpu',
      linkBytesPerSecond: 4e9,
      kind: 'measured',
    });
    expect(profile.descriptions?.copies).toMatch(/^One copy/);
  });

  it('has a dozen sizes of copies in either direction, pinned and pageable', async () => {
    const { copies } = await measuring;
    for (const direction of COPY_DIRECTIONS) {
      for (const pinned of [true, false]) {
        const own = copies.filter((point) => point.direction === direction && point.pinned === pinned);
        expect(new Set(own.map(({ bytes }) => bytes)).size).toBeGreaterThanOrEqual(12);
      }
    }
  });

  it('has every kernel that the plans have, with repeats', async () => {
    const profile = await measuring;
    const { gemm, attention, hostAttention, elementwise } = profile;
    expect(new Set(elementwise.map(({ kind }) => kind))).toEqual(new Set(ELEMENTWISE_KINDS));
    expect(gemm).toContainEqual(expect.objectContaining({ type: 'fp32', m: 96, n: 32, k: 64, batch: 2 }));
    const shape = { type: 'fp32', batch: 2, heads: 4, kvHeads: 2, headDim: 16 };
    expect(attention).toContainEqual(expect.objectContaining({ ...shape, context: 49 }));
    expect(hostAttention).toContainEqual(expect.objectContaining({ ...shape, context: 40, threads: 1 }));
    for (const { seconds } of [...gemm, ...attention, ...hostAttention, ...elementwise]) {
      expect(seconds.n).toBeGreaterThanOrEqual(5);
      expect(seconds.samples?.length).toBe(seconds.n);
    }
    expect(profile.launch && profile.handover && profile.hostMemory.length).toBeGreaterThan(0);
  });

  it('says how copies and kernels slow each other', async () => {
    const { interference } = await measuring;
    expect(new Set(interference.map(({ copy }) => copy))).toEqual(new Set(COPY_DIRECTIONS));
    expect(new Set(interference.map(({ kernel }) => kernel))).toEqual(new Set(['gemm', 'attention', 'host-attention']));
  });

  it('serves as the machine of a scenario', async () => {
    const profile = await measuring;
    const result = plan({ ...TINY, machine: './profile.json' }, { readProfile: () => profile });
    expect(result.machine.measured).toBe(true);
    expect(result.candidates.every(({ stepSeconds }) => stepSeconds > 0 && Number.isFinite(stepSeconds))).toBe(true);
  });
});

describeNative('a measurement', () => {
  it('that has next to no time has a point of each list that a machine is made of', async () => {
    const profile = await measureProfile({ device: DEVICE, plans: scenarioPlans(tinyScenario()), minutes: 1e-6 });
    for (const list of ['gemm', 'attention', 'hostAttention', 'elementwise'] as const) {
      expect(profile[list].length, list).toBeGreaterThanOrEqual(1);
    }
    for (const { seconds } of [...profile.copies, ...profile.gemm]) expect(seconds.n).toBeGreaterThanOrEqual(5);
    expect(machineFromProfile(profile).measured).toBe(true);
  });

  it('without a matrix product to measure fails and says so', async () => {
    const plans = [roundTrip(4096)];
    await expect(measureProfile({ device: DEVICE, plans, minutes: 1e-6 })).rejects.toMatchObject({
      code: 'DEVICE',
      message: expect.stringMatching(/^no matrix product could be measured/),
    });
  });

  it('ends where it is cancelled', async () => {
    const abort = new AbortController();
    const measuring = measureProfile({
      device: DEVICE,
      plans: scenarioPlans(tinyScenario()),
      minutes: 1,
      signal: abort.signal,
      onProgress: () => setTimeout(() => abort.abort(), 100),
    });
    await expect(measuring).rejects.toMatchObject({ code: expect.anything() });
  });

  it('says what is wrong with a device that is not there', async () => {
    const nowhere = { ...DEVICE, linkBytesPerSecond: -1 };
    await expect(measureProfile({ device: nowhere, minutes: 0.1 })).rejects.toThrow(/-1|rate/);
  });
});
