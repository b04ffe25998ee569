import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Plan } from '../sim/plan/plan.ts';
import { MissingNative } from './missing-native.ts';

export const BACKENDS = ['cpu', 'cuda'] as const;
export type Backend = (typeof BACKENDS)[number];

/** What a backend is and has. */
export interface DeviceInfo {
  backend: Backend;
  name: string;
  /** Driver and runtime versions; empty on the CPU. */
  driver: string;
  /** The library that multiplies matrices, with its version. */
  blas: string;
  gpuBytes: number;
  gpuFreeBytes: number;
  hostBytes: number;
  hostFreeBytes: number;
  multiprocessors: number;
  /** Threads of the host's attention. */
  hostThreads: number;
}

export interface DeviceOptions {
  backend: Backend;
  /** CPU backend: rate of the paced link per direction; left out: as fast as memory copies. */
  linkBytesPerSecond?: number;
  /** Threads of the host's attention; left out: all cores but one (at least one). */
  hostThreads?: number;
  /** CUDA backend: captures what is enqueued into a graph and launches that. */
  graph?: boolean;
}

export type FloatType = 'fp32' | 'fp16' | 'bf16';

export interface Fill {
  buffer: number;
  offsetBytes: number;
  /** Elements. */
  count: number;
  type: FloatType;
  seed: number;
  /** Element i is scale · normal(seed, firstIndex + i) + shift. */
  firstIndex: number;
  scale: number;
  shift: number;
}

export interface ExecuteOptions {
  /** Operands (indices among their operation's) to keep the bytes of, right after the operation. */
  captures?: { operation: number; operand: number }[];
  onProgress?: (done: number, of: number) => void;
}

/** What an execution measured. */
export interface Execution {
  startSeconds: Float64Array;
  endSeconds: Float64Array;
  enqueueSeconds: number;
  gates: number;
  captures: Uint8Array[];
}

/** Buffers on a device, and plans executed over them; `close` (or garbage collection) frees them. */
export interface NativeSession {
  readonly info: DeviceInfo;
  fill(fill: Fill): void;
  poison(buffer: number, offsetBytes: number, bytes: number): void;
  read(buffer: number, offsetBytes: number, bytes: number): Uint8Array;
  write(buffer: number, offsetBytes: number, data: Uint8Array): void;
  /**
   * Runs off the main thread; the plan's arrays are used in place and must not change meanwhile.
   * Rejects with code `PLAN` (malformed), `DEVICE` or `CANCELLED`.
   */
  execute(plan: Plan, options?: ExecuteOptions): Promise<Execution>;
  /** Ends the running execution soon; its promise rejects with code `CANCELLED`. */
  cancel(): void;
  close(): void;
}

export interface Native {
  /** What each backend finds here: the device, or why there is none. */
  probe(backend: Backend, options?: Omit<DeviceOptions, 'backend'>): { info: DeviceInfo } | { missing: string };
  /** Why a plan cannot be executed, or null. */
  faultOf(plan: Plan): string | null;
  /** Allocates a plan's buffers. Throws an error with code `MEMORY` (pool, askedBytes, availableBytes), `PLAN` or `DEVICE`. */
  open(plan: Plan, options: DeviceOptions): NativeSession;
  /** Bytes per second at which the host reads memory with so many threads: the best of a few passes over `bytes`. */
  hostReadRate(bytes: number, threads: number): number;
}

let loaded: Native | undefined;

/** Where the build leaves the addon, seen from the sources, from dist/exec and from build/bench/exec. */
const PLACES = [
  '../build/native/Release/splitpoint.node',
  '../../build/native/Release/splitpoint.node',
  '../../native/Release/splitpoint.node',
];

/** The addon, built by `npm run build`. Throws MissingNative, which says what to do, where there is none. */
export function native(): Native {
  loaded ??= load();
  return loaded;
}

/** Where the addon is; undefined where it has not been built. */
export function nativePath(): string | undefined {
  return PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find(existsSync);
}

function load(): Native {
  const path = nativePath();
  if (!path) throw new MissingNative('it has not been built');
  try {
    return createRequire(import.meta.url)(path);
  } catch (error) {
    throw new MissingNative((error as Error).message);
  }
}
