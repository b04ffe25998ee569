import { bytesPerElement, PRECISIONS } from '../plan/plan.ts';
import { byType, type Standing } from './by-type.ts';
import { Curve } from './curve.ts';
import { CurveFamily } from './curve-family.ts';
import type { AttentionPoint, ELEMENTWISE_KINDS, ElementwisePoint, GemmPoint } from './profile.ts';

/** Panels of one GEMM are almost as good as separate ones: how far apart their counts are, beside n and k. */
const BATCH_WEIGHT = 0.1;
/** Attention to equally many bytes takes about as long, whatever sequences they are split into. */
const ROWS_WEIGHT = 0.3;

interface GemmShape {
  n: number;
  k: number;
  batch: number;
}

/** Seconds of GEMMs over m, by the shape of their weights; other shapes' curves count in proportion to the work. */
export class GemmTimes {
  readonly #types: readonly Standing<CurveFamily<GemmShape>>[];

  /** @param points at least one */
  constructor(points: readonly GemmPoint[]) {
    this.#types = byType(points, (own) => {
      const knots = own.map(({ m, n, k, batch, seconds }) => ({
        shape: { n, k, batch },
        knot: [m, seconds.median] as const,
      }));
      return new CurveFamily(knots, (from: GemmShape, to: GemmShape) => ({
        stretch: 1,
        factor: (to.n * to.k * to.batch) / (from.n * from.k * from.batch),
        distance: Math.hypot(
          Math.log(to.n / from.n),
          Math.log(to.k / from.k),
          BATCH_WEIGHT * Math.log(to.batch / from.batch),
        ),
      }));
    })!;
  }

  /** @param type index into PRECISIONS */
  seconds(type: number, m: number, n: number, k: number, batch: number): number {
    const { times, factor } = this.#types[type];
    return factor * times.curve(`${n} ${k} ${batch}`, { n, k, batch }).at(m);
  }
}

interface AttentionShape {
  /** Sequences × query heads, and × heads of the cache. */
  rows: number;
  kvRows: number;
  headDim: number;
}

/** Seconds of attention over the context, by shape; other shapes' curves count at the context at which they read as many bytes. */
export class AttentionTimes {
  readonly #types: readonly Standing<CurveFamily<AttentionShape>>[];

  /** @param points at least one */
  constructor(points: readonly AttentionPoint[]) {
    this.#types = byType(points, (own) => {
      const knots = own.map(({ batch, heads, kvHeads, headDim, context, seconds }) => ({
        shape: { rows: batch * heads, kvRows: batch * kvHeads, headDim },
        knot: [context, seconds.median] as const,
      }));
      return new CurveFamily(knots, (from: AttentionShape, to: AttentionShape) => ({
        stretch: (to.kvRows * to.headDim) / (from.kvRows * from.headDim),
        factor: 1,
        distance: Math.hypot(
          Math.log(to.rows / to.kvRows / (from.rows / from.kvRows)),
          Math.log(to.headDim / from.headDim),
          ROWS_WEIGHT * Math.log(to.kvRows / from.kvRows),
        ),
      }));
    })!;
  }

  /**
   * @param type index into PRECISIONS
   * @param rows sequences × query heads
   * @param kvBytes of the attended keys and values
   */
  seconds(type: number, rows: number, headDim: number, context: number, kvBytes: number): number {
    const { times, factor } = this.#types[type];
    const perHead = 2 * headDim * context * bytesPerElement(PRECISIONS[type]);
    // Latent and quantised caches hold other bytes than their heads tell: as many heads as would hold these, at any context the same.
    const kvRows = Number((kvBytes / perHead).toPrecision(9));
    return factor * times.curve(`${rows} ${kvRows} ${headDim}`, { rows, kvRows, headDim }).at(context);
  }
}

export type ElementwiseKind = (typeof ELEMENTWISE_KINDS)[number];

/** Seconds of kernels that memory limits over their bytes; a kind that was not measured takes the mean of those that were. */
export class ElementwiseTimes {
  readonly #types: readonly Standing<Map<ElementwiseKind, Curve>>[];

  /** @param points at least one */
  constructor(points: readonly ElementwisePoint[]) {
    this.#types = byType(points, (own) => {
      const kinds = new Map<ElementwiseKind, ElementwisePoint[]>();
      for (const point of own) kinds.set(point.kind, [...(kinds.get(point.kind) ?? []), point]);
      return new Map(
        [...kinds].map(([kind, of]) => [kind, new Curve(of.map(({ bytes, seconds }) => [bytes, seconds.median]))]),
      );
    })!;
  }

  /** @param type index into PRECISIONS; what it weighs is in the bytes already */
  seconds(type: number, kind: ElementwiseKind, bytes: number): number {
    const curves = this.#types[type].times;
    const own = curves.get(kind);
    if (own) return own.at(bytes);
    let sum = 0;
    for (const curve of curves.values()) sum += curve.at(bytes);
    return sum / curves.size;
  }
}
