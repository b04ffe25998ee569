import { z } from 'zod';
import { firstProblem } from '../scenario/explain.ts';
import { InputError } from '../scenario/input-error.ts';
import { elementwisePoints } from './measure-layers.ts';
import { fileSchema, type MeasureRow, ROWS, TYPES, valid } from './measure-rows.ts';
import {
  type AttentionPoint,
  type GemmPoint,
  type HostAttentionPoint,
  type InterferencePoint,
  PROFILE_LISTS,
  PROFILE_SCHEMA,
  type Profile,
  parseProfile,
  type Repeats,
} from './profile.ts';
import { times } from './repeats.ts';

/**
 * A profile of the raw costs that measure.py wrote (copies, products, attention, interference and host work in PyTorch). Rows with errors or
 * without finite times are left out. What its decoder does in several calls counts as they follow each other: K and V are projected one
 * after the other, and what a whole layer takes beyond its products and attention is shared out to its element-wise kernels.
 *
 * @param file name of the file, for the provenance
 * @throws InputError where the document is no such file or too little is in it to make a profile
 */
export function profileFromMeasure(document: unknown, file?: string): Profile {
  const { success, data, error } = fileSchema.safeParse(document);
  if (!success) throw firstProblem(error.issues, document, z.toJSONSchema(fileSchema));
  const { provenance, sections } = data;
  const notes: string[] = [];
  const rowsOf = <Row>(section: string, schema: z.ZodType<Row>): Row[] => {
    const all = sections[section] ?? [];
    const rows = valid(all, schema);
    if (rows.length < all.length)
      notes.push(`${all.length - rows.length} of ${all.length} rows of ${section} left out`);
    return rows;
  };

  const copyRows = rowsOf('copies', ROWS.copies);
  const copies = once(
    copyRows.flatMap(({ kind, pinned, bytes, seconds }) =>
      kind === 'h2d' || kind === 'd2h' ? [{ direction: kind, pinned, bytes, seconds }] : [],
    ),
    ({ direction, pinned, bytes }) => `${direction} ${pinned} ${bytes}`,
  );
  const copyAlone = (direction: 'h2d' | 'd2h', bytes: number) =>
    copies.find((point) => point.pinned && point.direction === direction && point.bytes === bytes)?.seconds;
  const gemm = gemmPoints(rowsOf('gemm', ROWS.gemm));
  const attention = attentionPoints(rowsOf('attention', ROWS.attention));
  const host = hostPoints(rowsOf('host', ROWS.host), (bytes) => copyAlone('h2d', bytes), notes);
  const hostBytes = 1024 * Number(/(\d+) kB/.exec(provenance.memory)?.[1]);
  if (!Number.isFinite(hostBytes)) {
    const found = JSON.stringify(provenance.memory);
    throw new InputError({ path: 'provenance.memory', found, expected: 'MemTotal of /proc/meminfo' });
  }

  return parseProfile({
    schema: PROFILE_SCHEMA,
    provenance: {
      backend: provenance.gpu === undefined ? 'torch-cpu' : 'torch-cuda',
      device: line(provenance.gpu ?? 'CPU'),
      driver: line(provenance.smi?.split('\n')[1]?.split(',')[1] ?? ''),
      blas: `PyTorch ${line(provenance.torch ?? '')}`.trim(),
      versions: Object.fromEntries(
        (['torch', 'python', 'cuda'] as const).flatMap((name) => {
          const version = provenance[name];
          return version ? [[name, line(version)]] : [];
        }),
      ),
      date: line(provenance.date ?? ''),
      commit: '',
      host: line(/Model name:(.*)/.exec(provenance.cpu ?? '')?.[1] ?? '') || 'host',
      source: {
        kind: 'measure.py',
        ...(file !== undefined && { file }),
        ...(provenance.script !== undefined && { sha256: provenance.script }),
        notes,
      },
      ...(data.dry && { dry: true }),
    },
    memory: { gpuBytes: provenance.gpuMemory ?? hostBytes, hostBytes },
    multiprocessors: provenance.sms ?? 0,
    descriptions: PROFILE_LISTS,
    copies,
    duplex: duplexPoints(copyRows, copyAlone),
    gemm,
    attention,
    hostAttention: host.attention,
    elementwise: elementwisePoints(sections.decode ?? [], gemm, attention, notes),
    interference: [...interferencePoints(rowsOf('interference', ROWS.interference)), ...host.interference],
    hostMemory: host.memory,
  });
}

function duplexPoints(
  rows: readonly MeasureRow<'copies'>[],
  copyAlone: (direction: 'h2d' | 'd2h', bytes: number) => Repeats | undefined,
): Profile['duplex'] {
  const points = rows.flatMap(({ kind, bytes, seconds: h2d }) => {
    if (kind !== 'h2d-while-d2h') return [];
    const d2h = rows.find((other) => other.kind === 'd2h-while-h2d' && other.bytes === bytes)?.seconds;
    const [up, down] = [copyAlone('h2d', bytes), copyAlone('d2h', bytes)];
    if (!d2h || !up || !down) return [];
    return [{ bytes, h2d: whileOtherRuns(up, h2d, d2h.median), d2h: whileOtherRuns(down, d2h, h2d.median) }];
  });
  return once(points, ({ bytes }) => String(bytes));
}

/** Products as they were measured, and those that its decoder makes of several calls. */
function gemmPoints(rows: readonly MeasureRow<'gemm'>[]): GemmPoint[] {
  const measured = rows.map(({ dtype, m, n, k, seconds }) => ({ type: TYPES[dtype], m, n, k, batch: 1, seconds }));
  const both = rows
    .filter(({ use }) => use === 'recompute')
    .map(({ dtype, m, n, k, seconds }) => ({ type: TYPES[dtype], m, n, k, batch: 2, seconds: times(seconds, 2) }));
  // Queries, keys and values of a new token: three products, here one.
  const ofKv = new Set(both.map(({ n, k }) => `${n} ${k}`));
  const square = measured.filter(({ n, k }) => n === k);
  const project = square.flatMap((query) =>
    measured
      .filter(({ type, m, n, k }) => type === query.type && m === query.m && k === query.k && ofKv.has(`${n} ${k}`))
      .map((kv) => ({ ...query, n: query.n + 2 * kv.n, seconds: plus(query.seconds, times(kv.seconds, 2)) })),
  );
  return once([...measured, ...both, ...project], ({ type, m, n, k, batch }) => `${type} ${m} ${n} ${k} ${batch}`);
}

/** Its decoder attends by two products and a softmax; the fused kernel counts only where that was not measured. */
function attentionPoints(rows: readonly MeasureRow<'attention'>[]): AttentionPoint[] {
  const ordered = [...rows.filter(({ how }) => how === 'matmul'), ...rows.filter(({ how }) => how === 'sdpa')];
  return once(
    ordered.map(({ how: _, ...point }) => ({ type: 'fp16' as const, ...point })),
    attentionKey,
  );
}

function interferencePoints(rows: readonly MeasureRow<'interference'>[]): InterferencePoint[] {
  return rows.map(({ copyBytes, m, n, k, copyAlone, gemmsAlone, copyUnderGemm, gemmsUnderCopy }) => ({
    copy: 'h2d',
    copyBytes,
    kernel: 'gemm',
    shape: { m, n, k },
    copyAlone,
    copyUnderKernel: whileOtherRuns(copyAlone, copyUnderGemm, gemmsUnderCopy.median),
    kernelAlone: gemmsAlone,
    kernelUnderCopy: whileOtherRuns(gemmsAlone, gemmsUnderCopy, copyUnderGemm.median),
  }));
}

/** Sequences, heads and context of its host attention (heads of 128), which its rows tell only by their bytes. */
const HOST_SHAPES = [
  { batch: 32, heads: 32, context: 512 },
  { batch: 2, heads: 2, context: 8 },
];

function hostPoints(
  rows: readonly MeasureRow<'host'>[],
  copyAlone: (bytes: number) => Repeats | undefined,
  notes: string[],
): { memory: Profile['hostMemory']; attention: HostAttentionPoint[]; interference: InterferencePoint[] } {
  const alone = rows.filter(({ underCopies }) => underCopies === 0);
  const memory = alone
    .filter(({ kind }) => kind === 'host-read')
    .map(({ threads, bytes, seconds }) => ({ threads, bytesPerSecond: bytes / seconds.median }));
  const attention: HostAttentionPoint[] = [];
  const interference: InterferencePoint[] = [];
  for (const { kind, bytes, threads, seconds } of alone) {
    if (kind !== 'host-attention-fp32') continue;
    const shape = HOST_SHAPES.find(({ batch, heads, context }) => 8 * batch * heads * context * 128 === bytes);
    if (!shape) {
      notes.push(`host attention over ${bytes} bytes left out: its shape is not known`);
      continue;
    }
    attention.push({ type: 'fp32', ...shape, kvHeads: shape.heads, headDim: 128, threads, seconds });
    const under = rows.find((row) => row.kind === kind && row.bytes === bytes && row.underCopies > 0);
    const copy = under?.copyBytes === undefined ? undefined : copyAlone(under.copyBytes);
    if (!under?.copyBytes || !under.copySeconds || !copy) continue;
    const copiesSeconds = under.underCopies * under.copySeconds.median;
    interference.push({
      copy: 'h2d',
      copyBytes: under.copyBytes,
      kernel: 'host-attention',
      shape,
      copyAlone: copy,
      copyUnderKernel: whileOtherRuns(copy, under.copySeconds, under.seconds.median / under.underCopies),
      kernelAlone: seconds,
      kernelUnderCopy: whileOtherRuns(seconds, under.seconds, copiesSeconds),
    });
  }
  return {
    memory: once(memory, ({ threads }) => String(threads)),
    attention: once(attention, (point) => `${attentionKey(point)} ${point.threads}`),
    interference,
  };
}

/**
 * Seconds as they would be if the other ran all along: while `otherSeconds` of it lasted, both went on slowly, afterwards this alone at full
 * speed. Unchanged where times contradict that.
 */
function whileOtherRuns(alone: Repeats, together: Repeats, otherSeconds: number): Repeats {
  const overlap = Math.min(together.median, otherSeconds);
  const speed = 1 - (together.median - alone.median) / overlap;
  if (speed <= 0 || speed >= 1) return together;
  return times(together, alone.median / speed / together.median);
}

/** One after the other; their repeats are not pairs, so that single samples do not add up. */
function plus(a: Repeats, b: Repeats): Repeats {
  return { median: a.median + b.median, p05: a.p05 + b.p05, p95: a.p95 + b.p95, n: Math.min(a.n, b.n) };
}

const attentionKey = ({ type, batch, heads, kvHeads, headDim, context }: AttentionPoint) =>
  `${type} ${batch} ${heads} ${kvHeads} ${headDim} ${context}`;

/** The first of the points that have a key. */
function once<T>(points: readonly T[], keyOf: (point: T) => string): T[] {
  const byKey = new Map<string, T>();
  for (const point of points) if (!byKey.has(keyOf(point))) byKey.set(keyOf(point), point);
  return [...byKey.values()];
}

/** Text as provenance holds it: on one line. */
function line(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
