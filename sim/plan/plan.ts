/** In-order queues, as CUDA streams: a plan uses these four. */
export const STREAMS = ['h2d', 'd2h', 'compute', 'host'] as const;
export const Stream = { h2d: 0, d2h: 1, compute: 2, host: 3 } as const;

/** What an operation does. `step-end` takes no time and marks the end of a decode step. */
export const KINDS = [
  'copy-h2d',
  'copy-d2h',
  'gemm',
  'norm',
  'rope',
  'activation',
  'attend',
  'host-attend',
  'merge',
  'append',
  'embed',
  'step-end',
] as const;
export type KindName = (typeof KINDS)[number];
export const Kind = {
  copyH2d: 0,
  copyD2h: 1,
  gemm: 2,
  norm: 3,
  rope: 4,
  activation: 5,
  attend: 6,
  hostAttend: 7,
  merge: 8,
  append: 9,
  embed: 10,
  stepEnd: 11,
} as const;

/** What an operation is part of; reports add up by group. */
export const GROUPS = [
  'embed',
  'copy-weights',
  'copy-activation',
  'copy-kv',
  'recompute',
  'block',
  'host-attention',
  'store',
  'head',
  'step-end',
] as const;
export type GroupName = (typeof GROUPS)[number];
export const Group = {
  embed: 0,
  copyWeights: 1,
  copyActivation: 2,
  copyKv: 3,
  recompute: 4,
  block: 5,
  hostAttention: 6,
  store: 7,
  head: 8,
  stepEnd: 9,
} as const;

export const PRECISIONS = ['fp32', 'fp16', 'bf16', 'int8', 'int4'] as const;
export type Precision = (typeof PRECISIONS)[number];

export type Pool = 'gpu' | 'pinned' | 'host';

/** A named range of one memory pool. */
export interface Buffer {
  name: string;
  pool: Pool;
  bytes: number;
  /** Holds data before the first operation or after the last one (weights, caches): its life is the whole plan. */
  persistent: boolean;
}

/** Distinct pieces of work; alike operations (the layers of a model) share a row. */
export interface WorkTable {
  count: number;
  kind: Uint8Array;
  /** Index into PRECISIONS. */
  dtype: Uint8Array;
  /**
   * GEMM extents (rows, columns of all panels, inner); attention: (sequences·query heads, head width, tokens); copy: (rows, row bytes, 0);
   * element-wise kernels: (sequences, elements moved per sequence, tokens of each sequence).
   */
  m: Float64Array;
  n: Float64Array;
  k: Float64Array;
  /** GEMMs in a batch or group, 1 for a plain one. */
  batch: Float64Array;
  flops: Float64Array;
  /** Link and DRAM bytes of a copy, HBM bytes of a kernel, DRAM bytes of host work. */
  bytes: Float64Array;
}

/**
 * What an operand is to its operation. Each kind takes, in this order (tensors row-major and dense, cache operands one row for keys and one
 * for values):
 * - copies: input, output, of equally many rows and bytes;
 * - gemm: input (m × k), then one or more times: weight (k × n) or weightTransposed (n × k), a bias (n) or none, output or update
 *   (m × n; an update adds to what is there; an output of 4-byte elements is fp32). n may differ from panel to panel;
 * - norm: one or more times: weight (width), then for a layer norm its bias, then input and output, or an update in place;
 * - rope: one or more updates (tokens × sequences × heads × headDim, `k` of its work tokens from position `token` on);
 * - activation: input, a second input where the feed-forward part is gated, output: f(first) · second;
 * - attend, host-attend: query, one to three caches, output, and a logSumExp where the result is merged;
 * - merge: input (the other partial output), its logSumExp, the own logSumExp, update (the own partial output);
 * - append: two inputs (keys, values), one or two caches written;
 * - embed: weight (vocabulary × width), a bias where positions are learned (positions × width), output;
 * - step-end: none.
 */
export const Role = {
  input: 0,
  output: 1,
  update: 2,
  weight: 3,
  weightTransposed: 4,
  bias: 5,
  query: 6,
  cache: 7,
  logSumExp: 8,
} as const;

/** Who reads and writes what. Row i of `start` begins the operands of operation i, in the order its kind documents. */
export interface OperandTable {
  start: Uint32Array;
  buffer: Uint32Array;
  /** One of `Role`. */
  role: Uint8Array;
  offsetBytes: Float64Array;
  /** Contiguous bytes of a row. */
  rowBytes: Float64Array;
  rows: Uint32Array;
  /** Distance between rows, bytes. */
  strideBytes: Float64Array;
  /** 1 where the operation writes, 0 where it reads. */
  write: Uint8Array;
}

/** Numbers of the model that kernels need besides sizes. */
export interface PlanModel {
  /** Sequences of a micro-batch. */
  batch: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  ropeTheta: number;
  normEpsilon: number;
  activation: 'relu' | 'silu';
}

/**
 * Operations in streams with dependencies: what work is done, never how long it takes.
 * Operation i waits for the one before it in its stream and for `dependency[dependencyStart[i] .. dependencyStart[i+1]]`,
 * all of them smaller than i, so that a plan has no cycle by construction.
 */
export interface Plan {
  count: number;
  stream: Uint8Array;
  group: Uint8Array;
  layer: Uint16Array;
  step: Uint32Array;
  microBatch: Uint16Array;
  /** Position of the first token that the operation concerns. */
  token: Uint32Array;
  /** Row of `works`. */
  work: Uint32Array;
  dependencyStart: Uint32Array;
  dependency: Uint32Array;
  works: WorkTable;
  operands: OperandTable;
  buffers: Buffer[];
  model: PlanModel;
  layers: number;
  steps: number;
  microBatches: number;
}

const BYTES_PER_ELEMENT: Record<Precision, number> = { fp32: 4, fp16: 2, bf16: 2, int8: 1, int4: 0.5 };

/** Bytes of one element; scales of quantised tensors are not counted. */
export function bytesPerElement(precision: Precision): number {
  return BYTES_PER_ELEMENT[precision];
}
