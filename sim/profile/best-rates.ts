import { bytesPerElement, type Precision } from '../plan/plan.ts';
import type { AttentionPoint, CopyPoint, GemmPoint, Profile, Repeats } from './profile.ts';

/** The best rates that a profile holds, FLOP/s and bytes/s: nothing on the machine was seen to be faster. Infinite where nothing tells. */
export interface BestRates {
  h2d: number;
  d2h: number;
  /** Matrix products and attention at 16 bits and less, and at fp32. */
  flops: number;
  flopsFp32: number;
  /** Bytes that kernels read and wrote in GPU memory. */
  kernelBytes: number;
  /** Bytes that the host's threads read. */
  hostBytes: number;
  hostFlops: number;
}

export function bestRates(profile: Profile): BestRates {
  const { copies, gemm, attention, elementwise, hostAttention, hostMemory } = profile;
  const isFp32 = (type: Precision) => type === 'fp32';
  const flopRates = (of: (type: Precision) => boolean) => [
    ...gemm.filter(({ type }) => of(type)).map((point) => rate(gemmFlops(point), point)),
    ...attention.filter(({ type }) => of(type)).map((point) => rate(attentionFlops(point), point)),
  ];
  const short = best(flopRates((type) => !isFp32(type)));
  const long = best(flopRates(isFp32));
  const h2d = best(copyRates(copies, 'h2d'));
  const hostReads = [
    ...hostMemory.map(({ bytesPerSecond }) => bytesPerSecond),
    ...hostAttention.map((point) => rate(kvBytes(point), point)),
  ];
  return {
    h2d,
    d2h: best(copyRates(copies, 'd2h')),
    // A type without measured products costs as `byType` says: half the rate where elements are twice as large.
    flops: Math.max(short, gemm.every(({ type }) => isFp32(type)) ? long : 0),
    flopsFp32: Math.max(long, gemm.some(({ type }) => isFp32(type)) ? 0 : short / 2),
    kernelBytes: best([
      ...gemm.map((point) => rate(gemmBytes(point), point)),
      ...attention.map((point) => rate(attentionBytes(point), point)),
      ...elementwise.map((point) => rate(point.bytes, point)),
    ]),
    // Copies read the host's memory at the link's rate: no less than that is possible.
    hostBytes: best(hostReads) || h2d,
    hostFlops: best(hostAttention.map((point) => rate(attentionFlops(point), point))) || Number.POSITIVE_INFINITY,
  };
}

function copyRates(copies: readonly CopyPoint[], direction: CopyPoint['direction']): number[] {
  return copies
    .filter((point) => point.pinned && point.direction === direction)
    .map((point) => rate(point.bytes, point));
}

const gemmFlops = ({ m, n, k, batch }: GemmPoint) => 2 * m * n * k * batch;

/** At most: panels may share their input. */
const gemmBytes = ({ type, m, n, k, batch }: GemmPoint) => batch * (m * (n + k) + n * k) * bytesPerElement(type);

const attentionFlops = ({ batch, heads, headDim, context }: AttentionPoint) => 4 * batch * heads * headDim * context;

const kvBytes = ({ type, batch, kvHeads, headDim, context }: AttentionPoint) =>
  2 * batch * kvHeads * headDim * context * bytesPerElement(type);

const attentionBytes = (point: AttentionPoint) =>
  kvBytes(point) + 2 * point.batch * point.heads * point.headDim * bytesPerElement(point.type);

const rate = (amount: number, { seconds }: { seconds: Repeats }) => amount / seconds.median;

/** 0 where there is none. */
const best = (rates: readonly number[]) => rates.reduce((most, one) => Math.max(most, one), 0);
