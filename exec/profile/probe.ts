import {
  bytesPerElement,
  Group,
  Kind,
  type Plan,
  type PlanModel,
  type Pool,
  PRECISIONS,
  Role,
  Stream,
} from '../../sim/plan/plan.ts';

/**
 * How a part of memory is used in a chain of like operations: `cold` is another one each time, as weights and caches are another layer's
 * each time; `read` and `written` alternate between two, as the buffers do in which kernels hand each other their results.
 */
export const USES = ['cold', 'read', 'written'] as const;
export type Use = (typeof USES)[number];

/** A part of memory that an operation uses; where it lies is for the chain to say. */
export interface Area {
  pool: Pool;
  use: Use;
  bytes: number;
}

export interface ProbeOperand {
  role: number;
  write: boolean;
  /** Index into the probe's areas; the offset is in the area. */
  area: number;
  offsetBytes: number;
  rowBytes: number;
  rows: number;
  strideBytes: number;
}

/** One operation to measure: its row of work, and its operands without their places. */
export interface Probe {
  stream: number;
  group: number;
  token: number;
  kind: number;
  dtype: number;
  m: number;
  n: number;
  k: number;
  batch: number;
  flops: number;
  bytes: number;
  model: PlanModel;
  areas: readonly Area[];
  operands: readonly ProbeOperand[];
}

/** Where areas begin, so that the alignment that operands have in a plan stays. */
const ALIGNMENT = 256;

export const aligned = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Where an area lies in the plan that it comes from. */
interface Extent {
  index: number;
  from: number;
  to: number;
}

/**
 * An operation of a plan as a probe. Operands in one buffer keep their distances, but what is only read lies apart from what is written: done
 * over and over in place, an operation would come down to zeros or up to infinities.
 */
export function probeOf(plan: Plan, operation: number): Probe {
  const { works, operands } = plan;
  const work = plan.work[operation];
  const kind = works.kind[work];
  const areas: Area[] = [];
  const extents = new Map<string, Extent>();
  const first = operands.start[operation];
  const rows = Array.from({ length: operands.start[operation + 1] - first }, (_, i) => {
    const o = first + i;
    const { pool } = plan.buffers[operands.buffer[o]];
    const use = useOf(kind, operands.role[o], operands.write[o] === 1, pool);
    const key = `${operands.buffer[o]} ${use}`;
    const offset = operands.offsetBytes[o];
    const end = offset + (operands.rows[o] - 1) * operands.strideBytes[o] + operands.rowBytes[o];
    const from = Math.floor(offset / ALIGNMENT) * ALIGNMENT;
    const extent = extents.get(key) ?? { index: areas.push({ pool, use, bytes: 0 }) - 1, from, to: end };
    extent.from = Math.min(extent.from, from);
    extent.to = Math.max(extent.to, end);
    extents.set(key, extent);
    return { o, extent };
  });
  for (const { index, from, to } of extents.values()) areas[index] = { ...areas[index], bytes: to - from };
  return {
    stream: plan.stream[operation],
    group: plan.group[operation],
    token: plan.token[operation],
    kind,
    dtype: works.dtype[work],
    m: works.m[work],
    n: works.n[work],
    k: works.k[work],
    batch: works.batch[work],
    flops: works.flops[work],
    bytes: works.bytes[work],
    model: plan.model,
    areas,
    operands: rows.map(({ o, extent }) => ({
      role: operands.role[o],
      write: operands.write[o] === 1,
      area: extent.index,
      offsetBytes: operands.offsetBytes[o] - extent.from,
      rowBytes: operands.rowBytes[o],
      rows: operands.rows[o],
      strideBytes: operands.strideBytes[o],
    })),
  };
}

function useOf(kind: number, role: number, write: boolean, pool: Pool): Use {
  const isCopy = kind === Kind.copyH2d || kind === Kind.copyD2h;
  const isLayers = role === Role.weight || role === Role.weightTransposed || role === Role.bias || role === Role.cache;
  if (isLayers || (isCopy && pool !== 'gpu')) return 'cold';
  return write ? 'written' : 'read';
}

const FP32 = PRECISIONS.indexOf('fp32');

/** Any model will do for what needs none of its numbers. */
const NO_MODEL: PlanModel = {
  batch: 1,
  heads: 1,
  kvHeads: 1,
  headDim: 1,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  activation: 'relu',
};

/**
 * A copy of some bytes, in rows that lie apart in host memory where there are several.
 *
 * @param rows a divisor of the bytes
 */
export function copyProbe(direction: 'h2d' | 'd2h', pool: 'pinned' | 'host', bytes: number, rows = 1): Probe {
  const up = direction === 'h2d';
  const rowBytes = bytes / rows;
  const apart = rows > 1 ? aligned(1.5 * rowBytes) : rowBytes;
  const host: Area = { pool, use: 'cold', bytes: (rows - 1) * apart + rowBytes };
  const gpu: Area = { pool: 'gpu', use: up ? 'written' : 'read', bytes };
  const operand = (role: number, area: number, strideBytes: number): ProbeOperand => ({
    role,
    write: role === Role.output,
    area,
    offsetBytes: 0,
    rowBytes,
    rows,
    strideBytes,
  });
  return {
    stream: Stream[direction],
    group: up ? Group.copyKv : Group.store,
    token: 0,
    kind: up ? Kind.copyH2d : Kind.copyD2h,
    dtype: FP32,
    m: rows,
    n: rowBytes,
    k: 0,
    batch: 1,
    flops: 0,
    bytes,
    model: NO_MODEL,
    areas: up ? [host, gpu] : [gpu, host],
    operands: [operand(Role.input, 0, up ? apart : rowBytes), operand(Role.output, 1, up ? rowBytes : apart)],
  };
}

/** A kernel with next to nothing to do: it takes as long as the gap before it. */
export function tinyProbe(): Probe {
  const bytes = 32;
  const operand = { offsetBytes: 0, rowBytes: bytes, rows: 1, strideBytes: bytes };
  return {
    stream: Stream.compute,
    group: Group.block,
    token: 0,
    kind: Kind.activation,
    dtype: FP32,
    m: 1,
    n: (2 * bytes) / bytesPerElement('fp32'),
    k: 1,
    batch: 1,
    flops: 0,
    bytes: 2 * bytes,
    model: NO_MODEL,
    areas: [
      { pool: 'gpu', use: 'read', bytes },
      { pool: 'gpu', use: 'written', bytes },
    ],
    operands: [
      { ...operand, role: Role.input, write: false, area: 0 },
      { ...operand, role: Role.output, write: true, area: 1 },
    ],
  };
}

export function isCopy({ kind }: Pick<Probe, 'kind'>): boolean {
  return kind === Kind.copyH2d || kind === Kind.copyD2h;
}

/** Elements that fill so many bytes. */
export function elementsIn(bytes: number, dtype: number): number {
  return Math.floor(bytes / bytesPerElement(PRECISIONS[dtype]));
}
