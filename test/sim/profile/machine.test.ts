import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inlineFromMachine, machineFromInline } from '../../../sim/machine/inline.ts';
import { summariseMachine } from '../../../sim/machine/summary.ts';
import { plan } from '../../../sim/planner/plan.ts';
import { machineFromProfile } from '../../../sim/profile/machine.ts';
import { parseProfile } from '../../../sim/profile/profile.ts';
import { InputError } from '../../../sim/scenario/input-error.ts';
import { scenarioFromDocument } from '../../../sim/scenario/parse.ts';
import { SMALL_MODEL, scenarioOf, smallModels, smallWorkloads } from '../schedule/scenarios.ts';
import { anyProfile, repeats, smallProfile } from './profiles.ts';

const WORKLOAD = { batch: 2, promptTokens: 200, generatedTokens: 3 };

describe('a measured machine', () => {
  it('has the best rates of its profile for figures', () => {
    const { name, measured, gpu, host, link, efficiency } = machineFromProfile(parseProfile(smallProfile()));
    const h2d = 1e7 / (2e-6 + 1e7 / 1e9);
    const d2h = 1e7 / (3e-6 + 1e7 / 0.5e9);
    const [m, n, k] = [4096, 256, 64];
    const flops = (2 * m * n * k) / (1e-5 + (2 * m * n * k) / 1e11);
    // Attention to 1024 tokens: K and V of 8 heads of 16, and queries and outputs.
    const kernelBytes = (2 * 8 * 16 * 1024 * 2 + 2 * 8 * 16 * 2) / (5e-6 + 1024e-8);
    expect({ name, measured }).toEqual({ name: 'a small device', measured: true });
    expect(gpu.matmulFlopsPerSecond).toBeCloseTo(flops, 0);
    expect(gpu.matmulFp32FlopsPerSecond).toBeCloseTo(flops / 2, 0);
    expect([link.h2dBytesPerSecond, link.d2hBytesPerSecond]).toEqual([expect.closeTo(h2d, 0), expect.closeTo(d2h, 0)]);
    expect(gpu.memoryBytesPerSecond).toBeCloseTo(kernelBytes + h2d + d2h, 0);
    expect(host.memoryBytesPerSecond).toBeCloseTo(5e9 + h2d + d2h, 0);
    expect(link.duplex).toBeCloseTo(Math.sqrt(0.5 * 0.8), 12);
    expect(efficiency).toEqual({ matmul: 1, gpuMemory: 1, hostMemory: 1 });
    expect([gpu.memoryBytes, host.memoryBytes]).toEqual([8e9, 64e9]);
  });

  it('is refused without a pinned copy in either direction or without a GEMM', () => {
    const without = (change: object) => () => machineFromProfile(parseProfile({ ...smallProfile(), ...change }));
    const upOnly = smallProfile().copies.filter(({ direction }) => direction === 'h2d');
    expect(without({ copies: upOnly })).toThrow('copies: found no pinned d2h copy, expected at least one');
    const pageable = smallProfile().copies.map((point) => ({ ...point, pinned: false }));
    expect(without({ copies: pageable })).toThrow('copies: found no pinned h2d copy');
    expect(without({ gemm: [] })).toThrow('gemm: found no point, expected at least one');
  });

  it('is summarised as measured, in finite figures or inf', () => {
    fc.assert(
      fc.property(anyProfile, (profile) => {
        const summary = summariseMachine(machineFromProfile(profile));
        expect(summary.measured).toBe(true);
        expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
      }),
    );
  });

  it('can be written out as an inline machine with the same figures, not measured any more', () => {
    fc.assert(
      fc.property(anyProfile, (profile) => {
        const { profile: _, ...figures } = machineFromProfile(profile);
        expect(machineFromInline(inlineFromMachine(figures))).toEqual({ ...figures, measured: false });
      }),
    );
  });
});

describe('a scenario on a measured machine', () => {
  const readProfile = (path: string) => {
    if (path !== 'machines/small.json') throw new InputError({ file: path, found: 'no such file', expected: 'JSON' });
    return smallProfile();
  };
  const document = { model: SMALL_MODEL, machine: 'machines/small.json', workload: WORKLOAD };

  it('reads the profile and plans with it, the same every time', () => {
    const answer = plan(scenarioFromDocument(document, { readProfile }));
    expect(answer.machine).toMatchObject({ name: 'a small device', measured: true });
    expect(answer.candidates.length).toBeGreaterThan(4);
    expect(answer.recommendation).not.toBeNull();
    expect(JSON.stringify(plan(scenarioFromDocument(document, { readProfile })))).toBe(JSON.stringify(answer));
  });

  it('says which file is no profile, and where in it', () => {
    const broken = () => ({ ...smallProfile(), memory: { gpuBytes: 8e9, hostBytes: 'much' } });
    expect(() => scenarioFromDocument(document, { file: 's.yaml', readProfile: broken })).toThrow(
      /^machines\/small\.json: memory\.hostBytes: found "much", expected a whole number/,
    );
    expect(() => scenarioFromDocument({ ...document, machine: 'none.json' }, { readProfile })).toThrow(
      /^none\.json: found no such file, expected JSON$/,
    );
    expect(() => scenarioFromDocument({ ...document, machine: 'nvidia/a100-pcie-40g' }, { readProfile })).toThrow(
      /, or the name of a machine; nearest: a100-pcie-40gb/,
    );
    expect(() => scenarioFromDocument(document)).toThrow(/^machine: found a path \("machines\/small\.json"\)/);
  });

  it('takes the figures for an inline machine where one of them is changed', () => {
    const sets = ['machine.link.h2d=7 GB/s'];
    const { machine } = scenarioFromDocument(document, { readProfile, sets });
    expect(machine).toMatchObject({ name: 'a small device (changed)', measured: false });
    expect(machine.profile).toBeUndefined();
    expect(machine.link).toMatchObject({
      h2dBytesPerSecond: 7e9,
      d2hBytesPerSecond: expect.closeTo(1e7 / 0.020003, 0),
    });
  });

  it('is not bounded by attention to one token and to all of them where either takes as long', () => {
    const document = smallProfile();
    const flat = (context: number) => ({ ...document.attention[0], context, seconds: repeats(5e-6) });
    const profile = parseProfile({ ...document, attention: [flat(1), flat(2000)], duplex: [], interference: [] });
    const workload = { batch: 2, promptTokens: 1990, generatedTokens: 1 };
    const scenario = scenarioOf({ model: SMALL_MODEL, machine: 'a100-pcie-40gb', workload, schedules: ['resident'] });
    const [resident] = plan({ ...scenario, machine: machineFromProfile(profile) }).candidates;
    expect(resident.gap).toBeGreaterThanOrEqual(-1e-12);
    expect(resident.gap).toBeLessThan(0.2);
  });

  it('has no schedule that beats the bound, however the profile looks', () => {
    fc.assert(
      fc.property(
        anyProfile,
        smallModels,
        smallWorkloads,
        fc.constantFrom('gpu', 'host'),
        (profile, model, workload, weights) => {
          const placed = scenarioOf({ model, machine: 'a100-pcie-40gb', workload, placement: { weights } });
          const { candidates, bound } = plan({ ...placed, machine: machineFromProfile(profile) });
          for (const { schedule, gap, decodeSeconds } of candidates) {
            expect(gap, schedule).toBeGreaterThanOrEqual(-1e-12);
            expect(decodeSeconds).toBeGreaterThanOrEqual(bound.decodeSeconds * (1 - 1e-9));
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
