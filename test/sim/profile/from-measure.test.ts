import { describe, expect, it } from 'vitest';
import { costTable } from '../../../sim/machine/cost.ts';
import { Kind, PRECISIONS } from '../../../sim/plan/plan.ts';
import { WorkBuilder } from '../../../sim/plan/work-builder.ts';
import { plan } from '../../../sim/planner/plan.ts';
import { profileFromMeasure } from '../../../sim/profile/from-measure.ts';
import { machineFromProfile } from '../../../sim/profile/machine.ts';
import { parseProfile } from '../../../sim/profile/profile.ts';
import { scenarioFromDocument } from '../../../sim/scenario/parse.ts';
import { VALID } from '../scenario/valid.ts';
import { measureFile } from './measure-file.ts';

const PROFILE = profileFromMeasure(measureFile(), 'measure-a100.json');

describe('a profile of the costs that measure.py wrote', () => {
  it('says where it comes from and what was left out', () => {
    const { provenance, memory, multiprocessors } = PROFILE;
    expect(provenance).toMatchObject({
      backend: 'torch-cuda',
      device: 'NVIDIA A100-PCIE-40GB',
      driver: '580.65.06',
      blas: 'PyTorch 2.9.0',
      host: 'A Processor 9000',
      source: { kind: 'measure.py', file: 'measure-a100.json', sha256: 'ab'.repeat(32) },
    });
    expect(provenance.source.notes).toEqual([
      '1 of 5 rows of attention left out',
      '1 of 4 rows of host left out',
      'element-wise kernels are what layers take beyond products and attention, in 4 equal parts',
    ]);
    expect({ ...memory, multiprocessors }).toEqual({
      gpuBytes: 42e9,
      hostBytes: 131072000 * 1024,
      multiprocessors: 108,
    });
  });

  it('is a valid profile file', () => {
    expect(parseProfile(JSON.parse(JSON.stringify(PROFILE)))).toEqual(PROFILE);
  });

  it('holds copies that follow each other, pinned and pageable, and keeps their repeats', () => {
    expect(PROFILE.copies.map(({ direction, pinned, bytes }) => `${direction} ${pinned} ${bytes}`)).toEqual([
      'h2d true 4096',
      'd2h true 4096',
      'h2d true 1048576',
      'd2h true 1048576',
      'h2d false 1048576',
      'h2d true 268435456',
      'd2h true 268435456',
    ]);
    expect(PROFILE.copies[0].seconds.median).toBeCloseTo(2e-6 + 4096 / 25e9, 15);
    expect(PROFILE.copies[0].seconds.samples).toHaveLength(2);
  });

  it('counts what each slows the other only while both ran', () => {
    const { couplings } = costTable(new WorkBuilder().build(), machineFromProfile(PROFILE));
    const factors = couplings.map(({ factorA, factorB }) => [factorA, factorB].map((factor) => factor.toFixed(6)));
    // Both directions; a copy and products; a copy and host attention, which takes 0.05 s instead of 0.03 s.
    expect(factors).toEqual([
      ['0.800000', '0.600000'],
      ['0.800000', '0.900000'],
      [expect.stringMatching(/^0\./), '0.600000'],
    ]);
  });

  it('takes attention by products, as its decoder does it', () => {
    expect(PROFILE.attention.map(({ context, seconds }) => [context, seconds.median])).toEqual([
      [512, expect.closeTo(1e-5 + (4 * 32 * 32 * 512 * 128) / 1e12, 12)],
      [1024, expect.closeTo(1e-5 + (4 * 32 * 32 * 1024 * 128) / 1e12, 12)],
    ]);
  });

  it('counts the projections of its decoder as they follow each other', () => {
    const product = (m: number, n: number, k: number) => 2e-6 + (2 * m * n * k) / 250e12 + (2 * n * k) / 1.5e12;
    const seconds = (m: number, n: number, k: number, batch: number) =>
      PROFILE.gemm.find((p) => p.type === 'fp16' && p.m === m && p.n === n && p.k === k && p.batch === batch)?.seconds
        .median;
    expect(seconds(8192, 4096, 4096, 2)).toBeCloseTo(2 * product(8192, 4096, 4096), 12);
    expect(seconds(64, 12288, 4096, 1)).toBeCloseTo(3 * product(64, 4096, 4096), 12);
    expect(seconds(64, 6144, 4096, 1)).toBeCloseTo(product(64, 4096, 4096) + 2 * product(64, 1024, 4096), 12);
  });

  it('shares out to four element-wise kernels what a layer takes beyond products and attention', () => {
    // 80 us; the products' own times lie on a line between one row and 64.
    expect(PROFILE.elementwise.map(({ kind, bytes }) => [kind, bytes])).toEqual([
      ['norm', 2 * 32 * 2 * 4096],
      ['activation', 2 * 32 * 2 * 16384],
      ['append', 2 * 32 * 6 * 4096],
    ]);
    for (const { seconds } of PROFILE.elementwise) expect(seconds.median).toBeCloseTo(2e-5, 9);
  });

  it('prices a whole layer as it was measured', () => {
    const builder = new WorkBuilder();
    const fp16 = PRECISIONS.indexOf('fp16');
    const gemm = (n: number, k: number) => builder.add(Kind.gemm, fp16, 32, n, k, 1, 2 * 32 * n * k, 2 * n * k);
    gemm(12288, 4096);
    gemm(4096, 4096);
    gemm(16384, 4096);
    gemm(4096, 16384);
    const context = 512;
    builder.add(
      Kind.attend,
      fp16,
      32 * 32,
      128,
      context,
      1,
      4 * 32 * 32 * 128 * context,
      2 * 32 * 32 * 128 * 2 * (context + 1),
    );
    for (const [kind, elements] of [
      [Kind.norm, 8192],
      [Kind.norm, 8192],
      [Kind.append, 6 * 4096],
      [Kind.activation, 2 * 16384],
    ])
      builder.add(kind, fp16, 32, elements, 0, 1, 0, 2 * 32 * elements);
    const { seconds } = costTable(builder.build(), machineFromProfile(PROFILE));
    const measured = measureFile().sections.decode[0].seconds!.median;
    expect(seconds.reduce((sum, each) => sum + each, 0) / measured).toBeCloseTo(1, 6);
  });

  it('makes a machine that plans', () => {
    const { recommendation, machine } = plan({ ...scenarioFromDocument(VALID), machine: machineFromProfile(PROFILE) });
    expect(machine.measured).toBe(true);
    expect(recommendation).not.toBeNull();
  });

  it('tells a dry run, which has no GPU', () => {
    const { gpu: _, sms: __, gpuMemory: ___, ...provenance } = measureFile().provenance;
    const dry = profileFromMeasure({ ...measureFile(), dry: true, provenance });
    expect(dry.provenance).toMatchObject({ backend: 'torch-cpu', device: 'CPU', dry: true });
    expect(dry.memory.gpuBytes).toBe(dry.memory.hostBytes);
  });

  it.each<[string, object, string]>([
    [
      'no sections',
      { sections: undefined },
      'sections: found nothing, expected a mapping of sections to lists of rows',
    ],
    ['a section that is no list', { sections: { copies: 1 } }, 'sections.copies: found 1, expected a list'],
    ['no memory', { provenance: { memory: '' } }, 'provenance.memory: found "", expected MemTotal of /proc/meminfo'],
  ])('is refused with %s', (_, change, message) => {
    expect(() => profileFromMeasure({ ...measureFile(), ...change })).toThrow(message);
  });
});
