import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costTable } from '../../../sim/machine/cost.ts';
import type { Machine } from '../../../sim/machine/machine.ts';
import { RESOURCES } from '../../../sim/machine/resources.ts';
import { bytesPerElement, Kind, PRECISIONS, type Precision } from '../../../sim/plan/plan.ts';
import { WorkBuilder } from '../../../sim/plan/work-builder.ts';
import { machineFromProfile } from '../../../sim/profile/machine.ts';
import { type Profile, parseProfile } from '../../../sim/profile/profile.ts';
import { anyProfile, smallProfile } from './profiles.ts';

const SMALL = machineFromProfile(parseProfile(smallProfile()));

type Row = {
  kind: number;
  type?: Precision;
  m?: number;
  n?: number;
  k?: number;
  batch?: number;
  flops?: number;
  bytes: number;
};

function tableOf(machine: Machine, rows: readonly Row[]) {
  const builder = new WorkBuilder();
  for (const { kind, type = 'fp16', m = 0, n = 0, k = 0, batch = 1, flops = 0, bytes } of rows)
    builder.add(kind, PRECISIONS.indexOf(type), m, n, k, batch, flops, bytes);
  return costTable(builder.build(), machine);
}

const secondsOf = (row: Row, machine = SMALL) => tableOf(machine, [row]).seconds[0];

const copy = (kind: number, bytes: number): Row => ({ kind, bytes });

function gemm(m: number, n: number, k: number, batch = 1, type: Precision = 'fp16'): Row {
  const size = bytesPerElement(type);
  return {
    kind: Kind.gemm,
    type,
    m,
    n,
    k,
    batch,
    flops: 2 * m * n * k * batch,
    bytes: size * (m * k + batch * (n * k + m * n)),
  };
}

interface Attention {
  batch: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  context: number;
  type?: Precision;
}

function attend({ batch, heads, kvHeads, headDim, context, type = 'fp16' }: Attention, onHost = false): Row {
  const size = bytesPerElement(type);
  const kv = 2 * batch * kvHeads * headDim * context * size;
  return {
    kind: onHost ? Kind.hostAttend : Kind.attend,
    type,
    m: batch * heads,
    n: headDim,
    k: context,
    flops: 4 * batch * heads * headDim * context,
    bytes: onHost ? kv : kv + 2 * batch * heads * headDim * size,
  };
}

const SHAPE = { batch: 2, heads: 4, kvHeads: 4, headDim: 16 };

/** Every point of a profile as a row of work, with the seconds that were measured. */
function measuredRows(profile: Profile): { row: Row; seconds: number }[] {
  const elementwise = { norm: Kind.norm, rope: Kind.rope, activation: Kind.activation };
  const others = { append: Kind.append, embed: Kind.embed, merge: Kind.merge };
  const kinds: Record<string, number> = { ...elementwise, ...others };
  return [
    ...profile.copies.map(({ direction, bytes, seconds }) => ({
      row: copy(direction === 'h2d' ? Kind.copyH2d : Kind.copyD2h, bytes),
      seconds: seconds.median,
    })),
    ...profile.gemm.map(({ m, n, k, batch, type, seconds }) => ({
      row: gemm(m, n, k, batch, type),
      seconds: seconds.median,
    })),
    ...profile.attention.map((point) => ({ row: attend(point), seconds: point.seconds.median })),
    ...profile.hostAttention.map((point) => ({ row: attend(point, true), seconds: point.seconds.median })),
    ...profile.elementwise.map(({ kind, type, bytes, seconds }) => ({
      row: { kind: kinds[kind], type, bytes },
      seconds: seconds.median,
    })),
  ];
}

describe('the cost of work on a measured machine', () => {
  it('is, at every measured point, what was measured', () => {
    const profile = parseProfile(smallProfile());
    for (const { row, seconds } of measuredRows(profile)) {
      expect(secondsOf(row), JSON.stringify(row)).toBeCloseTo(seconds, 15);
    }
  });

  it('is never above a measured point, however noisy the profile, and equal where nothing larger was faster', () => {
    fc.assert(
      fc.property(anyProfile, (profile) => {
        const machine = machineFromProfile(profile);
        const rows = measuredRows(profile);
        const table = tableOf(
          machine,
          rows.map(({ row }) => row),
        );
        rows.forEach(({ seconds }, i) => {
          expect(table.seconds[i]).toBeLessThanOrEqual(seconds * (1 + 1e-12));
        });
        const slowest = profile.copies.filter(({ direction }) => direction === 'h2d').sort((a, b) => a.bytes - b.bytes);
        const largest = slowest.at(-1)!;
        expect(secondsOf(copy(Kind.copyH2d, largest.bytes), machine)).toBeCloseTo(largest.seconds.median, 15);
      }),
      { numRuns: 200 },
    );
  });

  it('lies on straight lines between copies, keeps the fixed cost below the smallest and the rate beyond the largest', () => {
    expect(secondsOf(copy(Kind.copyH2d, 1))).toBeCloseTo(3e-6, 15);
    expect(secondsOf(copy(Kind.copyH2d, 5e6))).toBeCloseTo(2e-6 + 5e-3, 15);
    expect(secondsOf(copy(Kind.copyD2h, 2e7))).toBeCloseTo(2 * (3e-6 + 2e-2), 15);
  });

  it('is interpolated over the rows of a GEMM and over the context of attention', () => {
    const linear = (m: number) => 1e-5 + (2 * m * 256 * 64) / 1e11;
    expect(secondsOf(gemm(32.5, 256, 64))).toBeCloseTo(linear(32.5), 12);
    expect(secondsOf(attend({ ...SHAPE, context: 520 }))).toBeCloseTo(5e-6 + 5.2e-6, 12);
  });

  it('follows the work where a GEMM was not measured: two panels of a measured one take about twice as long', () => {
    const one = secondsOf(gemm(4096, 256, 64));
    const two = secondsOf(gemm(4096, 256, 64, 2));
    expect(two / one).toBeGreaterThan(1.95);
    expect(two / one).toBeLessThan(2.05);
    const between = secondsOf(gemm(4096, 128, 64));
    expect(between).toBeGreaterThan(secondsOf(gemm(4096, 64, 64)));
    expect(between).toBeLessThan(one);
  });

  it('follows the bytes where attention was not measured: twice the sequences take as long as twice the context', () => {
    const twice = secondsOf(attend({ ...SHAPE, batch: 4, context: 500 }));
    expect(twice).toBeCloseTo(secondsOf(attend({ ...SHAPE, context: 1000 })), 12);
  });

  it('takes the mean of other kinds for an element-wise kernel that was not measured', () => {
    const document = smallProfile();
    document.elementwise.push({
      ...document.elementwise[0],
      kind: 'append',
      seconds: { median: 1e-5, p05: 1e-5, p95: 1e-5, n: 1 },
    });
    const machine = machineFromProfile(parseProfile(document));
    const norm = secondsOf({ kind: Kind.norm, bytes: 256 }, machine);
    expect(secondsOf({ kind: Kind.append, bytes: 256 }, machine)).toBeCloseTo(1e-5, 15);
    expect(secondsOf({ kind: Kind.rope, bytes: 256 }, machine)).toBeCloseTo((norm + 1e-5) / 2, 15);
  });

  it('is that of the nearest type where one was not measured, longer in proportion where its elements are larger', () => {
    const half = secondsOf(gemm(64, 64, 64));
    expect(secondsOf(gemm(64, 64, 64, 1, 'bf16'))).toBe(half);
    expect(secondsOf(gemm(64, 64, 64, 1, 'int8'))).toBe(half);
    expect(secondsOf(gemm(64, 64, 64, 1, 'fp32'))).toBe(2 * half);
  });

  it('falls back on rates where a list is empty: kernels on that of GPU memory and the gap, the host on that of its memory', () => {
    const bare = {
      ...smallProfile(),
      attention: [],
      hostAttention: [],
      elementwise: [],
      launch: { median: 1e-6, p05: 1e-6, p95: 1e-6, n: 3 },
    };
    const machine = machineFromProfile(parseProfile(bare));
    const fastest = Math.max(...bare.gemm.map(({ m, n, k, seconds }) => (2 * (m * (n + k) + n * k)) / seconds.median));
    expect(secondsOf({ kind: Kind.norm, bytes: 1e6 }, machine)).toBeCloseTo(1e-6 + 1e6 / fastest, 12);
    expect(secondsOf(attend({ ...SHAPE, context: 100 }, true), machine)).toBeCloseTo((2 * 128 * 2 * 100) / 5e9, 12);
    const { hostMemory: _, ...blind } = bare;
    const link = 1e7 / (2e-6 + 1e7 / 1e9);
    const unknown = machineFromProfile(parseProfile(blind));
    expect(secondsOf(attend({ ...SHAPE, context: 100 }, true), unknown)).toBeCloseTo((2 * 128 * 2 * 100) / link, 12);
  });

  it('never falls when bytes, rows or context grow, and is never below the figures of the machine', () => {
    const size = fc.integer({ min: 1, max: 2000 });
    const kinds = fc.constantFrom(...Object.values(Kind).filter((kind) => kind !== Kind.stepEnd));
    fc.assert(
      fc.property(anyProfile, kinds, size, size, size, size, (profile, kind, n, k, small, more) => {
        const machine = machineFromProfile(profile);
        const row = (amount: number): Row => {
          if (kind === Kind.gemm) return gemm(amount, n, k);
          if (kind === Kind.attend || kind === Kind.hostAttend) {
            const shape = { batch: 2, heads: 2 * n, kvHeads: n, headDim: k };
            return attend({ ...shape, context: amount }, kind === Kind.hostAttend);
          }
          return { kind, bytes: amount * n };
        };
        const { seconds } = tableOf(machine, [row(small), row(small + more)]);
        expect(seconds[0]).toBeGreaterThan(0);
        expect(seconds[0]).toBeLessThanOrEqual(seconds[1] * (1 + 1e-9));
        const { flops = 0, bytes } = row(small);
        const rates: Record<number, number> = {
          [Kind.copyH2d]: machine.link.h2dBytesPerSecond,
          [Kind.copyD2h]: machine.link.d2hBytesPerSecond,
          [Kind.hostAttend]: machine.host.memoryBytesPerSecond,
        };
        expect(seconds[0]).toBeGreaterThanOrEqual(bytes / (rates[kind] ?? machine.gpu.memoryBytesPerSecond));
        const flopRate =
          kind === Kind.hostAttend ? machine.host.matmulFlopsPerSecond : machine.gpu.matmulFlopsPerSecond;
        expect(seconds[0]).toBeGreaterThanOrEqual(flops / flopRate);
      }),
      { numRuns: 500 },
    );
  });

  it('occupies one resource of its own, wholly, and has all its time in its seconds', () => {
    const expected: [number, string][] = [
      [Kind.copyH2d, 'h2d'],
      [Kind.copyD2h, 'd2h'],
      [Kind.gemm, 'gpuArithmetic'],
      [Kind.attend, 'hbm'],
      [Kind.norm, 'hbm'],
      [Kind.hostAttend, 'hostCores'],
    ];
    for (const [kind, resource] of expected) {
      const { share, latencySeconds } = tableOf(SMALL, [{ kind, m: 1, n: 16, k: 16, bytes: 1e4 }]);
      expect(Object.fromEntries(RESOURCES.map((name, r) => [name, share[r]]).filter(([, part]) => part !== 0))).toEqual(
        {
          [resource]: 1,
        },
      );
      expect(latencySeconds[0]).toBe(0);
    }
    const end = tableOf(SMALL, [{ kind: Kind.stepEnd, bytes: 0 }]);
    expect([end.seconds[0], ...end.share].every((value) => value === 0)).toBe(true);
  });

  it('couples what was measured together by its times alone and together, and nothing else', () => {
    const [h2d, d2h, , gpu] = RESOURCES.keys();
    const { couplings } = tableOf(SMALL, []);
    expect(couplings).toHaveLength(2);
    expect(couplings[0]).toMatchObject({ a: h2d, b: d2h });
    expect([couplings[0].factorA, couplings[0].factorB]).toEqual([expect.closeTo(0.5), expect.closeTo(0.8)]);
    expect(couplings[1]).toMatchObject({ a: h2d, b: gpu });
    expect([couplings[1].factorA, couplings[1].factorB]).toEqual([expect.closeTo(0.8), expect.closeTo(0.9)]);
  });

  it('never takes being together for a gain', () => {
    fc.assert(
      fc.property(anyProfile, (profile) => {
        for (const { factorA, factorB } of tableOf(machineFromProfile(profile), []).couplings) {
          for (const factor of [factorA, factorB]) {
            expect(factor).toBeGreaterThan(0);
            expect(factor).toBeLessThanOrEqual(1);
          }
        }
      }),
    );
  });
});
