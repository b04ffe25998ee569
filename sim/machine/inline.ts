import { z } from 'zod';
import { InputError } from '../scenario/input-error.ts';
import { nameSchema } from '../scenario/name.ts';
import { quoted } from '../scenario/path.ts';
import { nearestNames } from '../units/nearest.ts';
import { type Dimension, expectedQuantity, parseQuantity, quantityText } from '../units/quantity.ts';
import { describeMachine, findGpu, findHost, findLink, GPU_NAMES, HOST_NAMES, LINK_NAMES } from './catalogue.ts';
import type { Efficiency, Gpu, Host, Link, Machine } from './machine.ts';

// A description of a value completes the sentence "expected …": errors are written from it.

const quantity = (dimension: Dimension, note = '') =>
  z.string().meta({ description: `${expectedQuantity(dimension)}${note}` });

const time = (note: string) =>
  z.union([z.string(), z.literal(0)]).meta({ description: `${expectedQuantity('seconds')}${note}` });

const label = nameSchema.optional();

const share = (note: string) =>
  z
    .number()
    .min(0.001)
    .max(1)
    .meta({ description: `a number from 0.001 to 1: ${note}` })
    .optional();

const inlineGpu = z.strictObject({
  name: label,
  memory: quantity('bytes'),
  matmul: quantity('flopsPerSecond', ' (dense, 16-bit)'),
  matmulFp32: quantity('flopsPerSecond', ' (left out: as matmul)').optional(),
  memoryBandwidth: quantity('bytesPerSecond'),
  launch: time(' (the gap before a kernel; left out: 0 s)').optional(),
  multiprocessors: z
    .int()
    .min(0)
    .max(100_000)
    .meta({ description: 'a whole number (left out: 0, no wave effects)' })
    .optional(),
});

const inlineHost = z.strictObject({
  name: label,
  memory: quantity('bytes'),
  memoryBandwidth: quantity('bytesPerSecond'),
  matmul: quantity('flopsPerSecond', ' (all cores together, as attention reaches it)'),
});

const inlineLink = z.strictObject({
  name: label,
  h2d: quantity('bytesPerSecond', ' (host to device)'),
  d2h: quantity('bytesPerSecond', ' (device to host; left out: as h2d)').optional(),
  latency: time(' (fixed cost of a copy; left out: 0 s)').optional(),
  duplex: share('factor on each direction while both run (left out: 1)'),
});

const inlineEfficiency = z.strictObject({
  matmul: share('reached share of arithmetic; 1 also means that GEMM shapes have no effect'),
  gpuMemory: share('reached share of the GPU’s memory bandwidth'),
  hostMemory: share('reached share of the host’s memory bandwidth'),
});

/** A machine written out in a scenario, or combined from parts of the catalogue. Quantities and names are checked by `machineFromInline`. */
export const inlineMachineSchema = z.strictObject({
  name: label,
  gpu: z.union([z.string(), inlineGpu]).meta({ description: 'a GPU of the catalogue, or a mapping of its figures' }),
  host: z.union([z.string(), inlineHost]).meta({ description: 'a host of the catalogue, or a mapping of its figures' }),
  link: z.union([z.string(), inlineLink]).meta({ description: 'a link of the catalogue, or a mapping of its figures' }),
  efficiency: inlineEfficiency
    .meta({ description: 'a mapping of reached shares (left out: 1, or the catalogue’s for its parts)' })
    .optional(),
});

export type InlineMachine = z.output<typeof inlineMachineSchema>;

/**
 * Resolves an inline machine to numbers. What is written out counts as it stands (efficiency 1); parts named from the
 * catalogue bring its efficiency, unless `efficiency` says otherwise.
 * @throws InputError with the path below `path` of a quantity that cannot be read or a name that is unknown.
 */
export function machineFromInline(inline: InlineMachine, path = 'machine'): Machine {
  const { gpu, efficiency: gpuEfficiency } = resolveGpu(inline.gpu, `${path}.gpu`);
  const { host, efficiency: hostEfficiency } = resolveHost(inline.host, `${path}.host`);
  const link = resolveLink(inline.link, `${path}.link`);
  const names = [gpu, host, link].map((part) => part.name).filter((name) => name !== UNNAMED);
  return {
    name: inline.name ?? (names.join(' + ') || UNNAMED),
    measured: false,
    gpu,
    host,
    link,
    efficiency: { ...gpuEfficiency, ...hostEfficiency, ...defined(inline.efficiency ?? {}) },
  };
}

const UNNAMED = 'inline';

function resolveGpu(
  inline: InlineMachine['gpu'],
  path: string,
): { gpu: Gpu; efficiency: Pick<Efficiency, 'matmul' | 'gpuMemory'> } {
  // The name of a machine, such as gh200, says which GPU as well.
  if (typeof inline === 'string')
    return (
      findGpu(inline) ?? findGpu(describeMachine(inline)?.gpu ?? '') ?? unknownName('a GPU', inline, GPU_NAMES, path)
    );
  const matmulFlopsPerSecond = parseQuantity(inline.matmul, 'flopsPerSecond', `${path}.matmul`);
  return {
    gpu: {
      name: inline.name ?? UNNAMED,
      memoryBytes: parseQuantity(inline.memory, 'bytes', `${path}.memory`),
      matmulFlopsPerSecond,
      matmulFp32FlopsPerSecond:
        inline.matmulFp32 === undefined
          ? matmulFlopsPerSecond
          : parseQuantity(inline.matmulFp32, 'flopsPerSecond', `${path}.matmulFp32`),
      memoryBytesPerSecond: parseQuantity(inline.memoryBandwidth, 'bytesPerSecond', `${path}.memoryBandwidth`),
      launchSeconds: inline.launch === undefined ? 0 : parseQuantity(inline.launch, 'seconds', `${path}.launch`),
      multiprocessors: inline.multiprocessors ?? 0,
    },
    efficiency: { matmul: 1, gpuMemory: 1 },
  };
}

function resolveHost(
  inline: InlineMachine['host'],
  path: string,
): { host: Host; efficiency: Pick<Efficiency, 'hostMemory'> } {
  if (typeof inline === 'string') return findHost(inline) ?? unknownName('a host', inline, HOST_NAMES, path);
  return {
    host: {
      name: inline.name ?? UNNAMED,
      memoryBytes: parseQuantity(inline.memory, 'bytes', `${path}.memory`),
      memoryBytesPerSecond: parseQuantity(inline.memoryBandwidth, 'bytesPerSecond', `${path}.memoryBandwidth`),
      matmulFlopsPerSecond: parseQuantity(inline.matmul, 'flopsPerSecond', `${path}.matmul`),
    },
    efficiency: { hostMemory: 1 },
  };
}

function resolveLink(inline: InlineMachine['link'], path: string): Link {
  if (typeof inline === 'string') return findLink(inline) ?? unknownName('a link', inline, LINK_NAMES, path);
  const h2dBytesPerSecond = parseQuantity(inline.h2d, 'bytesPerSecond', `${path}.h2d`);
  return {
    name: inline.name ?? UNNAMED,
    h2dBytesPerSecond,
    d2hBytesPerSecond:
      inline.d2h === undefined ? h2dBytesPerSecond : parseQuantity(inline.d2h, 'bytesPerSecond', `${path}.d2h`),
    latencySeconds: inline.latency === undefined ? 0 : parseQuantity(inline.latency, 'seconds', `${path}.latency`),
    duplex: inline.duplex ?? 1,
  };
}

function unknownName(kind: string, name: string, names: readonly string[], path: string): never {
  const nearest = nearestNames(name, names);
  const known = nearest.length > 0 ? `; nearest: ${nearest.join(', ')}` : ` such as ${names.slice(0, 3).join(', ')}`;
  throw new InputError({ path, found: quoted(name), expected: `${kind} of the catalogue${known}` });
}

function defined(efficiency: NonNullable<InlineMachine['efficiency']>): Partial<Efficiency> {
  return Object.fromEntries(Object.entries(efficiency).filter(([, value]) => value !== undefined));
}

/** A machine with every figure written out; `machineFromInline` gives back the same numbers (of a measured machine, as not measured). */
export function inlineFromMachine({ name, gpu, host, link, efficiency }: Machine): InlineMachine {
  return {
    name,
    gpu: {
      name: gpu.name,
      memory: quantityText(gpu.memoryBytes, 'bytes'),
      matmul: quantityText(gpu.matmulFlopsPerSecond, 'flopsPerSecond'),
      matmulFp32: quantityText(gpu.matmulFp32FlopsPerSecond, 'flopsPerSecond'),
      memoryBandwidth: quantityText(gpu.memoryBytesPerSecond, 'bytesPerSecond'),
      launch: quantityText(gpu.launchSeconds, 'seconds'),
      multiprocessors: gpu.multiprocessors,
    },
    host: {
      name: host.name,
      memory: quantityText(host.memoryBytes, 'bytes'),
      memoryBandwidth: quantityText(host.memoryBytesPerSecond, 'bytesPerSecond'),
      matmul: quantityText(host.matmulFlopsPerSecond, 'flopsPerSecond'),
    },
    link: {
      name: link.name,
      h2d: quantityText(link.h2dBytesPerSecond, 'bytesPerSecond'),
      d2h: quantityText(link.d2hBytesPerSecond, 'bytesPerSecond'),
      latency: quantityText(link.latencySeconds, 'seconds'),
      duplex: link.duplex,
    },
    efficiency: { ...efficiency },
  };
}
