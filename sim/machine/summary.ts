import type { Machine, Rate } from './machine.ts';

/** A machine as `machines --json` and `plan --json` show it. */
export interface MachineSummary {
  name: string;
  gpu: Record<string, number | string>;
  host: Record<string, number | string>;
  link: Record<string, number | string>;
  measured: boolean;
}

/** A machine as `machines --json` and `plan --json` show it: units in the keys, infinite rates as the text `inf`. */
export function summariseMachine({ name, gpu, host, link, efficiency, measured }: Machine): MachineSummary {
  return {
    name,
    gpu: {
      name: gpu.name,
      memoryBytes: gpu.memoryBytes,
      matmulFlopsPerSecond: finite(gpu.matmulFlopsPerSecond),
      matmulFp32FlopsPerSecond: finite(gpu.matmulFp32FlopsPerSecond),
      memoryBytesPerSecond: finite(gpu.memoryBytesPerSecond),
      launchSeconds: gpu.launchSeconds,
      multiprocessors: gpu.multiprocessors,
      matmulEfficiency: efficiency.matmul,
      memoryEfficiency: efficiency.gpuMemory,
    },
    host: {
      name: host.name,
      memoryBytes: host.memoryBytes,
      memoryBytesPerSecond: finite(host.memoryBytesPerSecond),
      matmulFlopsPerSecond: finite(host.matmulFlopsPerSecond),
      memoryEfficiency: efficiency.hostMemory,
    },
    link: {
      name: link.name,
      h2dBytesPerSecond: finite(link.h2dBytesPerSecond),
      d2hBytesPerSecond: finite(link.d2hBytesPerSecond),
      latencySeconds: link.latencySeconds,
      duplex: link.duplex,
    },
    measured,
  };
}

/** JSON has no infinity. */
function finite(rate: Rate): number | 'inf' {
  return Number.isFinite(rate) ? rate : 'inf';
}
