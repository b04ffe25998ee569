import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findMachine, MACHINE_NAMES } from '../../../sim/machine/catalogue.ts';
import {
  type InlineMachine,
  inlineFromMachine,
  inlineMachineSchema,
  machineFromInline,
} from '../../../sim/machine/inline.ts';
import { summariseMachine } from '../../../sim/machine/summary.ts';
import { InputError } from '../../../sim/scenario/input-error.ts';

const IDEAL = {
  name: 'ideal',
  gpu: { memory: '40 GiB', matmul: '100 TFLOP/s', memoryBandwidth: 'inf' },
  host: { memory: '512 GiB', memoryBandwidth: '150 GB/s', matmul: '2 TFLOP/s' },
  link: { h2d: '25 GB/s' },
} satisfies InlineMachine;

const NAMED = { gpu: 'h100-sxm', host: 'epyc-9654', link: 'pcie5-x16' } satisfies InlineMachine;

function errorOf(inline: InlineMachine): InputError {
  try {
    machineFromInline(inlineMachineSchema.parse(inline));
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('the machine was accepted');
}

describe('machineFromInline', () => {
  it('takes what is written as it stands, and ideal values for what is left out', () => {
    expect(machineFromInline(inlineMachineSchema.parse(IDEAL))).toEqual({
      name: 'ideal',
      measured: false,
      gpu: {
        name: 'inline',
        memoryBytes: 40 * 2 ** 30,
        matmulFlopsPerSecond: 1e14,
        matmulFp32FlopsPerSecond: 1e14,
        memoryBytesPerSecond: Number.POSITIVE_INFINITY,
        launchSeconds: 0,
        multiprocessors: 0,
      },
      host: { name: 'inline', memoryBytes: 2 ** 39, memoryBytesPerSecond: 150e9, matmulFlopsPerSecond: 2e12 },
      link: {
        name: 'inline',
        h2dBytesPerSecond: 25e9,
        d2hBytesPerSecond: 25e9,
        latencySeconds: 0,
        duplex: 1,
      },
      efficiency: { matmul: 1, gpuMemory: 1, hostMemory: 1 },
    });
  });

  it('combines parts of the catalogue with their efficiency', () => {
    const machine = machineFromInline(NAMED);
    expect(machine.name).toBe('h100-sxm + epyc-9654 + pcie5-x16');
    expect(machine.gpu).toEqual(findMachine('h100-sxm')!.gpu);
    expect(machine.efficiency).toEqual(findMachine('h100-nvl')!.efficiency);
  });

  it('uses the catalogue’s efficiency only for the parts that are named', () => {
    const efficiency = findMachine('h100-sxm')!.efficiency;
    expect(machineFromInline({ ...NAMED, host: IDEAL.host }).efficiency).toEqual({ ...efficiency, hostMemory: 1 });
    expect(machineFromInline({ ...NAMED, gpu: IDEAL.gpu }).efficiency).toEqual({
      matmul: 1,
      gpuMemory: 1,
      hostMemory: efficiency.hostMemory,
    });
  });

  it('lets efficiency be stated share by share', () => {
    const { efficiency } = machineFromInline({ ...NAMED, efficiency: { matmul: 0.5 } });
    expect(efficiency).toEqual({ ...findMachine('h100-sxm')!.efficiency, matmul: 0.5 });
  });

  it.each<[string, InlineMachine, string]>([
    [
      'a wrong unit',
      { ...IDEAL, link: { h2d: '25 GB' } },
      'machine.link.h2d: found "25 GB", a size, expected a rate such as 25 GB/s',
    ],
    [
      'a memory of no size',
      { ...IDEAL, gpu: { ...IDEAL.gpu, memory: '0 GiB' } },
      'machine.gpu.memory: found "0 GiB", expected a size such as 40 GiB, at least 1 KiB',
    ],
    [
      'a misspelt GPU',
      { ...NAMED, gpu: 'h100-smx' },
      'machine.gpu: found "h100-smx", expected a GPU of the catalogue; nearest: h100-sxm, h200-sxm',
    ],
    [
      'an unknown host',
      { ...NAMED, host: 'abacus' },
      'machine.host: found "abacus", expected a host of the catalogue such as epyc-7742, epyc-7763, epyc-7543',
    ],
    [
      'a misspelt link',
      { ...NAMED, link: 'pcie5x16' },
      'machine.link: found "pcie5x16", expected a link of the catalogue; nearest: pcie5-x16, pcie3-x16, pcie4-x16',
    ],
  ])('names the place of %s', (_, inline, message) => {
    expect(errorOf(inline).message).toBe(message);
  });
});

describe('inlineMachineSchema', () => {
  it.each([
    ['an unknown key', { ...IDEAL, colour: 'green' }],
    ['an unknown key of a part', { ...IDEAL, link: { h2d: '25 GB/s', latncy: '8 us' } }],
    ['a number without a unit', { ...IDEAL, link: { h2d: 25 } }],
    ['a missing part', { gpu: IDEAL.gpu, host: IDEAL.host }],
    ['a missing figure', { ...IDEAL, gpu: { memory: '40 GiB', matmul: '1 TFLOP/s' } }],
    ['a duplex factor of zero', { ...IDEAL, link: { h2d: '25 GB/s', duplex: 0 } }],
    ['an efficiency above 1', { ...IDEAL, efficiency: { matmul: 1.1 } }],
    ['a fraction of a multiprocessor', { ...IDEAL, gpu: { ...IDEAL.gpu, multiprocessors: 1.5 } }],
  ])('refuses %s', (_, document) => {
    expect(inlineMachineSchema.safeParse(document).success).toBe(false);
  });

  it('becomes a JSON Schema that describes every value', () => {
    const schema = z.toJSONSchema(inlineMachineSchema, { io: 'input' });
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      expect(property, key).toHaveProperty('description');
    }
    expect(schema.additionalProperties).toBe(false);
  });
});

describe('inlineFromMachine', () => {
  it.each(MACHINE_NAMES)('writes %s out so that it reads back the same', (name) => {
    const machine = findMachine(name)!;
    expect(machineFromInline(inlineMachineSchema.parse(inlineFromMachine(machine)))).toEqual(machine);
  });

  it('keeps infinite rates', () => {
    const machine = machineFromInline(IDEAL);
    expect(machineFromInline(inlineMachineSchema.parse(inlineFromMachine(machine)))).toEqual(machine);
  });

  it('lets a single figure of a catalogue machine be changed', () => {
    const inline = inlineFromMachine(findMachine('a100-pcie-40gb')!);
    const faster = machineFromInline({ ...inline, link: { ...(inline.link as object), h2d: '64 GB/s' } });
    expect(faster.link).toEqual({ ...findMachine('a100-pcie-40gb')!.link, h2dBytesPerSecond: 64e9 });
  });
});

describe('summariseMachine', () => {
  it('shows infinite rates as text, so that every number is finite', () => {
    const summary = summariseMachine(machineFromInline(IDEAL));
    expect(summary.gpu.memoryBytesPerSecond).toBe('inf');
    expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
  });
});
