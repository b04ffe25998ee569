import type { Profile } from '../profile/profile.ts';

/** A rate that may be infinite on an ideal machine. */
export type Rate = number;

export interface Gpu {
  name: string;
  memoryBytes: number;
  /** Dense matrix throughput at 16-bit precision, FLOP/s. */
  matmulFlopsPerSecond: Rate;
  /** Dense matrix throughput at fp32 (TF32 where the GPU has it), FLOP/s. */
  matmulFp32FlopsPerSecond: Rate;
  memoryBytesPerSecond: Rate;
  /** Device-side gap before a kernel, seconds. */
  launchSeconds: number;
  /** Streaming multiprocessors, for whole waves of GEMM tiles; 0 where unknown (no wave effect then). */
  multiprocessors: number;
}

export interface Host {
  name: string;
  memoryBytes: number;
  memoryBytesPerSecond: Rate;
  /** Arithmetic of all cores together as attention reaches it, FLOP/s. */
  matmulFlopsPerSecond: Rate;
}

export interface Link {
  name: string;
  /** Host to device, bytes/s, protocol overhead already taken off. */
  h2dBytesPerSecond: Rate;
  /** Device to host, bytes/s, protocol overhead already taken off. */
  d2hBytesPerSecond: Rate;
  /** Fixed cost of one copy, seconds. */
  latencySeconds: number;
  /** Factor on each direction while both run, 0 < duplex ≤ 1. */
  duplex: number;
}

/** Reached share of the nominal rates, each in (0, 1]. `matmul: 1` also means that GEMM shapes have no effect. */
export interface Efficiency {
  matmul: number;
  gpuMemory: number;
  hostMemory: number;
}

/** What plans run on, resolved to plain numbers. */
export interface Machine {
  name: string;
  /** True where the figures were measured on the machine itself, false for datasheet and typed-in figures. */
  measured: boolean;
  gpu: Gpu;
  host: Host;
  link: Link;
  efficiency: Efficiency;
  /** The measurements that work is priced by; the figures above are then the best rates in them, at efficiency 1. */
  profile?: Profile;
}
