import { bytesPerElement, PRECISIONS, type Precision } from '../plan/plan.ts';

/** Types that stand in for one that was not measured, nearest first. */
const NEAREST: Record<Precision, readonly Precision[]> = {
  fp32: ['fp32', 'bf16', 'fp16', 'int8', 'int4'],
  fp16: ['fp16', 'bf16', 'fp32', 'int8', 'int4'],
  bf16: ['bf16', 'fp16', 'fp32', 'int8', 'int4'],
  int8: ['int8', 'fp16', 'bf16', 'fp32', 'int4'],
  int4: ['int4', 'int8', 'fp16', 'bf16', 'fp32'],
};

/** What stands for work in a type, and the factor on its seconds. */
export interface Standing<T> {
  times: T;
  factor: number;
}

/**
 * Measurements by the type of their elements. A type without any costs as the nearest one that has: as long where its elements are smaller
 * (no gain is claimed that nobody measured), longer in proportion where they are larger.
 *
 * @param make from the points of one type, at least one
 * @returns by index into PRECISIONS; undefined where nothing was measured
 */
export function byType<Point extends { type: Precision }, T>(
  points: readonly Point[],
  make: (points: Point[]) => T,
): readonly Standing<T>[] | undefined {
  if (points.length === 0) return undefined;
  const made = new Map<Precision, T>();
  for (const type of PRECISIONS) {
    const own = points.filter((point) => point.type === type);
    if (own.length > 0) made.set(type, make(own));
  }
  return PRECISIONS.map((type) => {
    const nearest = NEAREST[type].find((other) => made.has(other))!;
    return { times: made.get(nearest)!, factor: Math.max(1, bytesPerElement(type) / bytesPerElement(nearest)) };
  });
}
