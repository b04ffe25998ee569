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
export const ALIGNMENT = 256;

export const aligned = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** An operation of a plan as a probe: operands in one buffer keep their distances. */
export function probeOf(plan: Plan, operation: number): Probe {
  const { works, operands } = plan;
  const work = plan.work[operation];
  const found = new Map<number, { index: number; from: number; to: number; pool: Pool; use: Use }>();
  for (let o = operands.start[operation]; o < operands.start[operation + 1]; o++) {
    const buffer = operands.buffer[o];
    const { pool } = plan.buffers[buffer];
    const area = found.get(buffer) ?? {
      index: found.size,
      from: Number.POSITIVE_INFINITY,
      to: 0,
      pool,
      use: 'read' as Use,
    };
    const from = operands.offsetBytes[o];
    area.from = Math.min(area.from, Math.floor(from / ALIGNMENT) * ALIGNMENT);
    area.to = Math.max(area.to, from + (operands.rows[o] - 1) * operands.strideBytes[o] + operands.rowBytes[o]);
    const use = useOf(works.kind[work], operands.role[o], operands.write[o] === 1, pool);
    if (area.use === 'read' || use === 'cold') area.use = use;
    found.set(buffer, area);
  }
  return {
    stream: plan.stream[operation],
    group: plan.group[operation],
    token: plan.token[operation],
    kind: works.kind[work],
    dtype: works.dtype[work],
    m: works.m[work],
    n: works.n[work],
    k: works.k[work],
    batch: works.batch[work],
    flops: works.flops[work],
    bytes: works.bytes[work],
    model: plan.model,
    areas: [...found.values()].map(({ pool, use, from, to }) => ({ pool, use, bytes: to - from })),
    operands: Array.from({ length: operands.start[operation + 1] - operands.start[operation] }, (_, i) => {
      const o = operands.start[operation] + i;
      const { index, from } = found.get(operands.buffer[o])!;
      return {
        role: operands.role[o],
        write: operands.write[o] === 1,
        area: index,
        offsetBytes: operands.offsetBytes[o] - from,
        rowBytes: operands.rowBytes[o],
        rows: operands.rows[o],
        strideBytes: operands.strideBytes[o],
      };
    }),
  };
}

function useOf(kind: number, role: number, write: boolean, pool: Pool): Use {
  const isCopy = kind === Kind.copyH2d || kind === Kind.copyD2h;
  const isLayers = role === Role.weight || role === Role.weightTransposed || role === Role.bias || role === Role.cache;
  if (isLayers || (isCopy && pool !== 'gpu')) return 'cold';
  return write ? 'written' : 'read';
}

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
    dtype: PRECISIONS.indexOf('fp32'),
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

export function isCopy({ kind }: Pick<Probe, 'kind'>): boolean {
  return kind === Kind.copyH2d || kind === Kind.copyD2h;
}

/** Elements that fill so many bytes. */
export function elementsIn(bytes: number, dtype: number): number {
  return Math.floor(bytes / bytesPerElement(PRECISIONS[dtype]));
}
