import { Kind, type Plan, PRECISIONS, type WorkTable } from '../../sim/plan/plan.ts';
import { ELEMENTWISE_KINDS } from '../../sim/profile/profile.ts';
import { type Probe, probeOf } from './probe.ts';

/** Points of a curve; between them costs are interpolated. */
const POINTS = 8;

/** The kinds that a list of a profile holds. */
export type List = 'gemm' | 'attention' | 'hostAttention' | 'elementwise';

const ELEMENTWISE: Partial<Record<number, (typeof ELEMENTWISE_KINDS)[number]>> = Object.fromEntries(
  ELEMENTWISE_KINDS.map((name) => [Kind[name], name]),
);

export function elementwiseKind(kind: number): (typeof ELEMENTWISE_KINDS)[number] | undefined {
  return ELEMENTWISE[kind];
}

function listOf(kind: number): List | undefined {
  if (kind === Kind.gemm) return 'gemm';
  if (kind === Kind.attend) return 'attention';
  if (kind === Kind.hostAttend) return 'hostAttention';
  return elementwiseKind(kind) && 'elementwise';
}

/** Kernels to measure, by list. */
export type Kernels = Record<List, Probe[]>;

/** Where an operation's cost stands in a profile: on which curve, and where on it. */
interface Knot {
  list: List;
  curve: string;
  at: number;
  probe: Probe;
}

/**
 * The distinct kernels of some plans, small ones first: each as the plan has it, on each curve that costs are interpolated on no more points than
 * needed.
 */
export function kernelsOf(plans: readonly Plan[]): Kernels {
  const curves = new Map<string, Map<number, Knot>>();
  for (const plan of plans) {
    for (const operation of firstOfEachWork(plan)) {
      const knot = knotOf(plan, operation);
      if (!knot) continue;
      const curve = curves.get(knot.curve) ?? new Map<number, Knot>();
      curves.set(knot.curve, curve);
      if (!curve.has(knot.at)) curve.set(knot.at, knot);
    }
  }
  const kernels: Kernels = { gemm: [], attention: [], hostAttention: [], elementwise: [] };
  for (const curve of curves.values()) {
    const at = thinned([...curve.keys()]);
    for (const one of at) {
      const { list, probe } = curve.get(one)!;
      kernels[list].push(probe);
    }
  }
  for (const probes of Object.values(kernels)) {
    probes.sort((a, b) => a.flops - b.flops || a.bytes - b.bytes);
  }
  return kernels;
}

function firstOfEachWork({ count, work }: Plan): number[] {
  const seen = new Set<number>();
  const first: number[] = [];
  for (let i = 0; i < count; i++) {
    if (seen.has(work[i])) continue;
    seen.add(work[i]);
    first.push(i);
  }
  return first;
}

function knotOf(plan: Plan, operation: number): Knot | undefined {
  const { works, model } = plan;
  const w = plan.work[operation];
  const list = listOf(works.kind[w]);
  if (!list || !executable(works, w)) return undefined;
  const { dtype, m, n, k, batch, bytes } = works;
  const [shape, at] = {
    gemm: () => [[n[w], k[w], batch[w]], m[w]] as const,
    attention: () => [[model.batch, model.heads, model.kvHeads, model.headDim], k[w]] as const,
    hostAttention: () => [[model.batch, model.heads, model.kvHeads, model.headDim], k[w]] as const,
    elementwise: () => [[works.kind[w]], bytes[w]] as const,
  }[list]();
  return { list, curve: `${list} ${dtype[w]} ${shape.join(' ')}`, at, probe: probeOf(plan, operation) };
}

/** Quantised elements and expected numbers of rows have no kernels. */
function executable({ dtype, m, n, k, batch }: WorkTable, w: number): boolean {
  const wholes = [m[w], n[w], k[w], batch[w]].every((extent) => Number.isInteger(extent) && extent > 0);
  return wholes && ['fp32', 'fp16', 'bf16'].includes(PRECISIONS[dtype[w]]);
}

/** At most so many of some sizes: the ends, and what is nearest to even steps of the logarithm between them. */
export function thinned(sizes: readonly number[], most = POINTS): number[] {
  const sorted = [...sizes].sort((a, b) => a - b);
  if (sorted.length <= most) return sorted;
  const [low, high] = [Math.log(sorted[0]), Math.log(sorted[sorted.length - 1])];
  const chosen = new Set<number>();
  for (let i = 0; i < most; i++) {
    const wanted = low + (i / (most - 1)) * (high - low);
    chosen.add(
      sorted.reduce((best, size) =>
        Math.abs(Math.log(size) - wanted) < Math.abs(Math.log(best) - wanted) ? size : best,
      ),
    );
  }
  return [...chosen];
}
