import { describe, expect, it } from 'vitest';
import { GPUS } from '../../../sim/machine/catalogue/gpus.ts';
import { HOSTS } from '../../../sim/machine/catalogue/hosts.ts';
import { LINKS } from '../../../sim/machine/catalogue/links.ts';
import {
  describeMachine,
  findGpu,
  findHost,
  findLink,
  findMachine,
  GPU_NAMES,
  HOST_NAMES,
  LINK_NAMES,
  MACHINE_NAMES,
  machineEntry,
} from '../../../sim/machine/catalogue.ts';
import type { Figure } from '../../../sim/machine/figure.ts';
import { machineFromInline } from '../../../sim/machine/inline.ts';
import { summariseMachine } from '../../../sim/machine/summary.ts';

function figuresOf(entry: object): Figure[] {
  return Object.values(entry).filter((value): value is Figure => typeof value === 'object');
}

describe('the machine catalogue', () => {
  it('has the usual machines', () => {
    expect(MACHINE_NAMES).toEqual(
      expect.arrayContaining([
        ...['a100-pcie-40gb', 'a100-pcie-80gb', 'a100-sxm-40gb', 'a100-sxm-80gb', 'h100-pcie', 'h100-sxm', 'h200-sxm'],
        ...['gh200', 'b200', 'l4', 'l40s', 'a10', 't4', 'v100-sxm', 'a6000', 'rtx-3090', 'rtx-4090', 'rtx-5090'],
      ]),
    );
    expect(MACHINE_NAMES.length).toBeGreaterThanOrEqual(24);
    expect(GPU_NAMES.length).toBeGreaterThanOrEqual(20);
  });

  it('uses lower-case slugs', () => {
    for (const name of [...MACHINE_NAMES, ...GPU_NAMES, ...HOST_NAMES, ...LINK_NAMES]) {
      expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    }
  });

  it.each([
    ['GPU', GPUS, 8],
    ['host', HOSTS, 4],
    ['link', LINKS, 4],
  ])('gives every figure of every %s a basis and a source', (_, entries, count) => {
    for (const [name, entry] of Object.entries<object>(entries)) {
      const figures = figuresOf(entry);
      expect(figures, name).toHaveLength(count);
      for (const { value, basis, source } of figures) {
        expect(value, name).toMatch(/^\d/);
        expect(['datasheet', 'measured', 'assumption'], name).toContain(basis);
        expect(source.length, name).toBeGreaterThan(5);
      }
    }
  });

  it('resolves every part to positive finite numbers', () => {
    for (const name of GPU_NAMES) {
      const { gpu, efficiency } = findGpu(name)!;
      const { name: own, ...numbers } = gpu;
      expect(own).toBe(name);
      for (const value of [...Object.values(numbers), ...Object.values(efficiency)]) {
        expect(value, name).toBeGreaterThan(0);
        expect(value, name).toBeLessThan(Number.POSITIVE_INFINITY);
      }
      expect(Number.isInteger(gpu.multiprocessors), name).toBe(true);
    }
    for (const name of HOST_NAMES) {
      const { host, efficiency } = findHost(name)!;
      expect(host.memoryBytesPerSecond, name).toBeGreaterThan(4e10);
      expect(host.memoryBytesPerSecond, name).toBeLessThan(6e11);
      expect(host.matmulFlopsPerSecond, name).toBeGreaterThan(1e11);
      expect(efficiency.hostMemory, name).toBeLessThan(1);
    }
    for (const name of LINK_NAMES) {
      expect(findLink(name)!.duplex, name).toBeLessThanOrEqual(1);
      expect(findLink(name)!.latencySeconds, name).toBeGreaterThan(0);
    }
  });

  it('never counts sparse throughput: fp32 runs at half of fp16 or less, to a rounding', () => {
    for (const name of GPU_NAMES) {
      const { matmulFlopsPerSecond, matmulFp32FlopsPerSecond } = findGpu(name)!.gpu;
      expect(matmulFp32FlopsPerSecond / matmulFlopsPerSecond, name).toBeLessThan(0.51);
    }
  });

  it('describes the paper’s machine: A100 40 GB, PCIe 4.0 x16, a 64-core EPYC', () => {
    expect(findMachine('a100-pcie-40gb')).toEqual({
      name: 'a100-pcie-40gb',
      measured: false,
      gpu: {
        name: 'a100-pcie-40gb',
        memoryBytes: 40 * 2 ** 30,
        matmulFlopsPerSecond: 312e12,
        matmulFp32FlopsPerSecond: 156e12,
        memoryBytesPerSecond: 1555e9,
        launchSeconds: 4e-6,
        multiprocessors: 108,
      },
      host: {
        name: 'epyc-7763',
        memoryBytes: 512 * 2 ** 30,
        memoryBytesPerSecond: 204.8e9,
        matmulFlopsPerSecond: 2007e9,
      },
      link: {
        name: 'pcie4-x16',
        h2dBytesPerSecond: 25.52e9,
        d2hBytesPerSecond: 25.52e9,
        latencySeconds: 8e-6,
        duplex: 0.82,
      },
      efficiency: { matmul: 0.72, gpuMemory: 0.88, hostMemory: 0.72 },
    });
  });

  it('counts GeForce cards at their rate with fp32 accumulation', () => {
    expect(findGpu('rtx-3090')!.gpu.matmulFlopsPerSecond).toBe(71e12);
    expect(findGpu('rtx-4090')!.gpu.matmulFlopsPerSecond).toBe(165.2e12);
    expect(findGpu('rtx-5090')!.gpu.matmulFlopsPerSecond).toBe(209.5e12);
  });

  it('shows the arithmetic behind a host’s bandwidth', () => {
    expect(HOSTS['epyc-9654'].memoryBandwidth).toMatchObject({
      value: '460.8 GB/s',
      basis: 'datasheet',
      source: expect.stringContaining('12 channels of DDR5-4800 × 8 bytes = 460.8 GB/s'),
    });
  });

  it('has no machine that is no entry, inherited names included', () => {
    for (const find of [findMachine, machineEntry, describeMachine, findGpu, findHost, findLink]) {
      expect(find('toString')).toBeUndefined();
      expect(find('nothing')).toBeUndefined();
    }
  });

  it.each(MACHINE_NAMES)('shows %s with sources, as an inline machine and as a summary', (name) => {
    const machine = findMachine(name)!;
    const entry = machineEntry(name)!;
    expect([entry.gpu.name, entry.host.name, entry.link.name]).toEqual([
      machine.gpu.name,
      machine.host.name,
      machine.link.name,
    ]);
    expect(machineFromInline(describeMachine(name)!)).toEqual(machine);
    const summary = summariseMachine(machine);
    expect(summary.gpu.memoryBytes).toBe(machine.gpu.memoryBytes);
    expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
  });
});
