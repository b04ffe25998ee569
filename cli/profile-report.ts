import { PROFILE_LISTS, type Profile, type Repeats } from '../sim/profile/profile.ts';
import { formatBytes, formatFlopsPerSecond, formatRate, formatSeconds } from '../sim/units/format.ts';
import { bold, dim, print } from './output.ts';
import { type Column, tableLines } from './table.ts';

/** A line of a profile for people: what was measured, how long it took, and the rate that this is. */
interface Row {
  what: string;
  seconds: Repeats;
  rate?: string;
}

const COLUMNS: Column<Row>[] = [
  { title: 'what', value: ({ what }) => what },
  { title: 'median', value: ({ seconds }) => formatSeconds(seconds.median) },
  { title: '5 % to 95 %', value: ({ seconds }) => `${formatSeconds(seconds.p05)} to ${formatSeconds(seconds.p95)}` },
  { title: 'n', value: ({ seconds }) => seconds.n },
  { title: 'rate', value: ({ rate }) => rate ?? '' },
];

type List = keyof typeof PROFILE_LISTS;

export function printProfile(profile: Profile): void {
  const { provenance } = profile;
  print(bold(provenance.device));
  print(dim(`${provenance.host}; ${provenance.backend}; ${provenance.blas}; ${provenance.date}`));
  for (const [list, rows] of Object.entries(rowsOf(profile)) as [List, Row[]][]) {
    if (rows.length === 0) continue;
    print('');
    print(bold(list));
    print(dim(PROFILE_LISTS[list]));
    for (const line of tableLines(COLUMNS, rows)) print(line);
  }
  if (profile.hostMemory.length > 0) {
    print('');
    print(bold('hostMemory'));
    print(dim(PROFILE_LISTS.hostMemory));
    for (const { threads, bytesPerSecond } of profile.hostMemory)
      print(`${threads} threads: ${formatRate(bytesPerSecond)}`);
  }
  const notes = provenance.source.notes ?? [];
  if (notes.length > 0) print('');
  for (const note of notes) print(dim(note));
}

function rowsOf(profile: Profile): Record<Exclude<List, 'hostMemory'>, Row[]> {
  const bytesRow = (what: string, bytes: number, seconds: Repeats): Row => {
    return { what: `${what} ${formatBytes(bytes)}`, seconds, rate: formatRate(bytes / seconds.median) };
  };
  const attentionRow = ({
    type,
    batch,
    heads,
    kvHeads,
    headDim,
    context,
    seconds,
  }: Profile['attention'][number]): Row => ({
    what: `${type} ${batch} × ${heads} heads (${kvHeads} of keys) of ${headDim}, context ${context}`,
    seconds,
  });
  const one = (what: string, seconds: Repeats | undefined): Row[] => (seconds ? [{ what, seconds }] : []);
  return {
    copies: profile.copies.map(({ direction, pinned, bytes, seconds }) =>
      bytesRow(`${direction} ${pinned ? 'pinned' : 'pageable'}`, bytes, seconds),
    ),
    duplex: profile.duplex.flatMap(({ bytes, h2d, d2h }) => [bytesRow('h2d', bytes, h2d), bytesRow('d2h', bytes, d2h)]),
    gemm: profile.gemm.map(({ type, m, n, k, batch, seconds }) => ({
      what: `${type} ${m} × ${k} by ${k} × ${n}${batch > 1 ? `, ${batch} together` : ''}`,
      seconds,
      rate: formatFlopsPerSecond((2 * m * n * k * batch) / seconds.median),
    })),
    attention: profile.attention.map(attentionRow),
    hostAttention: profile.hostAttention.map(attentionRow),
    elementwise: profile.elementwise.map(({ kind, type, bytes, seconds }) =>
      bytesRow(`${kind} ${type}`, bytes, seconds),
    ),
    launch: one('launch', profile.launch),
    handover: one('handover', profile.handover),
    interference: profile.interference.flatMap((point) => {
      const shape = Object.values(point.shape).join(' ');
      return [
        { what: `${point.copy} alone`, seconds: point.copyAlone },
        { what: `${point.copy} under ${point.kernel} ${shape}`, seconds: point.copyUnderKernel },
        { what: `${point.kernel} ${shape} alone`, seconds: point.kernelAlone },
        { what: `${point.kernel} ${shape} under ${point.copy}`, seconds: point.kernelUnderCopy },
      ];
    }),
  };
}
