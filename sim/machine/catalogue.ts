import { parseQuantity } from '../units/quantity.ts';
import { GPUS } from './catalogue/gpus.ts';
import { HOSTS } from './catalogue/hosts.ts';
import { LINKS } from './catalogue/links.ts';
import { MACHINES } from './catalogue/machines.ts';
import type { GpuEntry, HostEntry, LinkEntry } from './figure.ts';
import type { Efficiency, Gpu, Host, Link, Machine } from './machine.ts';

/** Names of the catalogue, in its order. */
export const MACHINE_NAMES: readonly string[] = Object.keys(MACHINES);
export const GPU_NAMES: readonly string[] = Object.keys(GPUS);
export const HOST_NAMES: readonly string[] = Object.keys(HOSTS);
export const LINK_NAMES: readonly string[] = Object.keys(LINKS);

/** A machine of the catalogue with the source of every figure. */
export interface MachineEntry {
  name: string;
  gpu: { name: string } & GpuEntry;
  host: { name: string } & HostEntry;
  link: { name: string } & LinkEntry;
}

/** A GPU of the catalogue and the share of its rates that is reached; undefined where the name is unknown. */
export function findGpu(name: string): { gpu: Gpu; efficiency: Pick<Efficiency, 'matmul' | 'gpuMemory'> } | undefined {
  const entry = lookUp(GPUS, name);
  return (
    entry && {
      gpu: {
        name,
        memoryBytes: parseQuantity(entry.memory.value, 'bytes'),
        matmulFlopsPerSecond: parseQuantity(entry.matmul.value, 'flopsPerSecond'),
        matmulFp32FlopsPerSecond: parseQuantity(entry.matmulFp32.value, 'flopsPerSecond'),
        memoryBytesPerSecond: parseQuantity(entry.memoryBandwidth.value, 'bytesPerSecond'),
        launchSeconds: parseQuantity(entry.launch.value, 'seconds'),
        multiprocessors: Number(entry.multiprocessors.value),
      },
      efficiency: {
        matmul: Number(entry.matmulEfficiency.value),
        gpuMemory: Number(entry.memoryEfficiency.value),
      },
    }
  );
}

/** A host of the catalogue and the share of its memory bandwidth that is reached; undefined where the name is unknown. */
export function findHost(name: string): { host: Host; efficiency: Pick<Efficiency, 'hostMemory'> } | undefined {
  const entry = lookUp(HOSTS, name);
  return (
    entry && {
      host: {
        name,
        memoryBytes: parseQuantity(entry.memory.value, 'bytes'),
        memoryBytesPerSecond: parseQuantity(entry.memoryBandwidth.value, 'bytesPerSecond'),
        matmulFlopsPerSecond: parseQuantity(entry.matmul.value, 'flopsPerSecond'),
      },
      efficiency: { hostMemory: Number(entry.memoryEfficiency.value) },
    }
  );
}

/** A link of the catalogue; undefined where the name is unknown. */
export function findLink(name: string): Link | undefined {
  const entry = lookUp(LINKS, name);
  return (
    entry && {
      name,
      h2dBytesPerSecond: parseQuantity(entry.h2d.value, 'bytesPerSecond'),
      d2hBytesPerSecond: parseQuantity(entry.d2h.value, 'bytesPerSecond'),
      latencySeconds: parseQuantity(entry.latency.value, 'seconds'),
      duplex: Number(entry.duplex.value),
    }
  );
}

/** A machine of the catalogue, resolved to numbers; undefined where the name is unknown. */
export function findMachine(name: string): Machine | undefined {
  const parts = lookUp(MACHINES, name);
  if (!parts) return undefined;
  const { gpu, efficiency } = findGpu(parts.gpu)!;
  const { host, efficiency: hostEfficiency } = findHost(parts.host)!;
  return {
    name,
    measured: false,
    gpu,
    host,
    link: findLink(parts.link)!,
    efficiency: { ...efficiency, ...hostEfficiency },
  };
}

/** A machine of the catalogue with the source of every figure; undefined where the name is unknown. */
export function machineEntry(name: string): MachineEntry | undefined {
  const parts = lookUp(MACHINES, name);
  return (
    parts && {
      name,
      gpu: { name: parts.gpu, ...GPUS[parts.gpu] },
      host: { name: parts.host, ...HOSTS[parts.host] },
      link: { name: parts.link, ...LINKS[parts.link] },
    }
  );
}

/** A machine of the catalogue as an inline machine that names its parts; undefined where the name is unknown. */
export function describeMachine(name: string): { name: string; gpu: string; host: string; link: string } | undefined {
  const parts = lookUp(MACHINES, name);
  return parts && { name, ...parts };
}

function lookUp<Entry>(entries: Record<string, Entry>, name: string): Entry | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}
