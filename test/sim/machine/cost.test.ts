import { describe, expect, it } from 'vitest';
import { costTable } from '../../../sim/machine/cost.ts';
import type { Machine } from '../../../sim/machine/machine.ts';
import { RESOURCES } from '../../../sim/machine/resources.ts';
import { Kind, PRECISIONS, type Precision } from '../../../sim/plan/plan.ts';
import { WorkBuilder } from '../../../sim/plan/work-builder.ts';

const MACHINE: Machine = {
  name: 'round figures',
  measured: false,
  gpu: {
    name: 'gpu',
    memoryBytes: 1e9,
    matmulFlopsPerSecond: 1000,
    matmulFp32FlopsPerSecond: 250,
    memoryBytesPerSecond: 400,
    launchSeconds: 0.5,
    multiprocessors: 4,
  },
  host: { name: 'host', memoryBytes: 1e9, memoryBytesPerSecond: 100, matmulFlopsPerSecond: 20 },
  link: { name: 'link', h2dBytesPerSecond: 10, d2hBytesPerSecond: 8, latencySeconds: 0.25, duplex: 0.75 },
  efficiency: { matmul: 0.5, gpuMemory: 0.5, hostMemory: 0.5 },
};

interface Work {
  kind: number;
  dtype?: Precision;
  m?: number;
  n?: number;
  k?: number;
  batch?: number;
  flops?: number;
  bytes?: number;
}

/** Cost of one piece of work, with the shares of the resources it uses by name. */
function costOf(work: Work, machine = MACHINE) {
  const { kind, dtype = 'fp16', m = 1, n = 1, k = 1, batch = 1, flops = 0, bytes = 0 } = work;
  const builder = new WorkBuilder();
  builder.add(kind, PRECISIONS.indexOf(dtype), m, n, k, batch, flops, bytes);
  const { latencySeconds, seconds, share } = costTable(builder.build(), machine);
  const used = RESOURCES.map((name, r) => [name, share[r]] as const).filter(([, part]) => part !== 0);
  return { latency: latencySeconds[0], seconds: seconds[0], share: Object.fromEntries(used) };
}

const IDEAL: Machine = {
  ...MACHINE,
  gpu: {
    ...MACHINE.gpu,
    matmulFlopsPerSecond: Number.POSITIVE_INFINITY,
    matmulFp32FlopsPerSecond: Number.POSITIVE_INFINITY,
    memoryBytesPerSecond: Number.POSITIVE_INFINITY,
    launchSeconds: 0,
  },
  host: {
    ...MACHINE.host,
    memoryBytesPerSecond: Number.POSITIVE_INFINITY,
    matmulFlopsPerSecond: Number.POSITIVE_INFINITY,
  },
  link: {
    ...MACHINE.link,
    h2dBytesPerSecond: Number.POSITIVE_INFINITY,
    d2hBytesPerSecond: Number.POSITIVE_INFINITY,
    latencySeconds: 0,
  },
};

describe('the cost of work', () => {
  it('is, for a copy to the GPU, its bytes over the link, drawing on both memories at half their rates', () => {
    // 100 bytes: link 10 s, DRAM 100 / 50 = 2 s, HBM 100 / 200 = 0.5 s.
    const cost = costOf({ kind: Kind.copyH2d, bytes: 100 });
    expect(cost).toEqual({ latency: 0.25, seconds: 10, share: { h2d: 1, hostDram: 0.2, hbm: 0.05 } });
  });

  it('is, for a copy to the host, its bytes over the other direction', () => {
    const cost = costOf({ kind: Kind.copyD2h, bytes: 100 });
    expect(cost).toEqual({ latency: 0.25, seconds: 12.5, share: { d2h: 1, hostDram: 0.16, hbm: 0.04 } });
  });

  it('is that of the host memory where the link is faster than it', () => {
    const link = { ...MACHINE.link, h2dBytesPerSecond: 200 };
    const cost = costOf({ kind: Kind.copyH2d, bytes: 100 }, { ...MACHINE, link });
    expect(cost).toEqual({ latency: 0.25, seconds: 2, share: { h2d: 0.25, hostDram: 1, hbm: 0.25 } });
  });

  it('is, for a kernel, the longer of its arithmetic and its bytes, behind a launch', () => {
    // 1000 FLOPs at 500 per second, 100 bytes at 200 per second; then the other way round.
    expect(costOf({ kind: Kind.attend, flops: 1000, bytes: 100 })).toEqual({
      latency: 0.5,
      seconds: 2,
      share: { gpuArithmetic: 1, hbm: 0.25 },
    });
    expect(costOf({ kind: Kind.attend, flops: 100, bytes: 400 })).toEqual({
      latency: 0.5,
      seconds: 2,
      share: { gpuArithmetic: 0.1, hbm: 1 },
    });
  });

  it('is that of their bytes for kernels without arithmetic', () => {
    for (const kind of [Kind.norm, Kind.rope, Kind.activation, Kind.merge, Kind.append, Kind.embed]) {
      expect(costOf({ kind, bytes: 300 })).toEqual({ latency: 0.5, seconds: 1.5, share: { hbm: 1 } });
    }
  });

  it('takes the rate of fp32 where the work is in fp32', () => {
    for (const [dtype, seconds] of [
      ['fp16', 2],
      ['bf16', 2],
      ['int8', 2],
      ['fp32', 8],
    ] as const) {
      expect(costOf({ kind: Kind.attend, dtype, flops: 1000 }).seconds, dtype).toBe(seconds);
    }
  });

  it('grows for a GEMM by what its shape loses: 64 rows and 128 columns on one of 4 multiprocessors', () => {
    const flops = 2 * 64 * 128 * 100;
    const gemm = { kind: Kind.gemm, m: 64, n: 128, k: 100, flops };
    expect(costOf(gemm).seconds).toBeCloseTo((4 * flops) / 500, 9);
    expect(costOf({ ...gemm, kind: Kind.attend }).seconds).toBeCloseTo(flops / 500, 9);
  });

  it('knows no shapes where the efficiency of matrix multiplication is 1', () => {
    const machine = { ...MACHINE, efficiency: { ...MACHINE.efficiency, matmul: 1 } };
    expect(costOf({ kind: Kind.gemm, m: 1, n: 1, k: 100, flops: 200 }, machine).seconds).toBe(0.2);
  });

  it('is, for attention on the host, the longer of its memory and its cores, without latency', () => {
    // 200 bytes at 50 per second, 60 FLOPs at 20 per second.
    expect(costOf({ kind: Kind.hostAttend, flops: 60, bytes: 200 })).toEqual({
      latency: 0,
      seconds: 4,
      share: { hostDram: 1, hostCores: 0.75 },
    });
  });

  it('is nothing for the end of a step', () => {
    expect(costOf({ kind: Kind.stepEnd })).toEqual({ latency: 0, seconds: 0, share: {} });
  });

  it('is nothing at infinite rates, and never undefined', () => {
    for (const kind of Object.values(Kind)) {
      const cost = costOf({ kind, m: 64, n: 64, k: 64, flops: 1000, bytes: 1000 }, IDEAL);
      expect(cost).toEqual({ latency: 0, seconds: 0, share: {} });
    }
  });

  it('couples the two directions of the link and gives every resource a capacity of 1', () => {
    const table = costTable(new WorkBuilder().build(), MACHINE);
    const [a, b] = [RESOURCES.indexOf('h2d'), RESOURCES.indexOf('d2h')];
    expect(table.couplings).toEqual([{ a, b, factorA: 0.75, factorB: 0.75 }]);
    expect([...table.capacity]).toEqual(RESOURCES.map(() => 1));
  });
});
