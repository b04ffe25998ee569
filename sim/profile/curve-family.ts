import { Curve, type Knot } from './curve.ts';

/** Measured curves that an unmeasured one is estimated from. */
const NEIGHBOURS = 3;

/** A measured curve as an estimate of another shape's: of `size`, it says `factor` · curve(size · stretch). */
interface Estimate {
  curve: Curve;
  stretch: number;
  factor: number;
  /** Between the shapes, in logarithms of their extents. */
  distance: number;
}

/** How well one shape's curve speaks for another's. */
export type Relation = Omit<Estimate, 'curve'>;

/**
 * Curves of shapes, and estimates for shapes that were not measured: where a shape was measured its own curve counts, elsewhere
 * the nearest ones, weighted by the inverse square of their distance. A curve that does not reach a size is farther from it.
 */
export class CurveFamily<Shape> {
  readonly #measured: { shape: Shape; curve: Curve }[];
  readonly #relate: (from: Shape, to: Shape) => Relation;
  readonly #known = new Map<string, Curve>();

  /** @param relate how a measured shape's curve estimates another's; of a shape to itself, distance 0, stretch 1 and factor 1 */
  constructor(points: readonly { shape: Shape; knot: Knot }[], relate: (from: Shape, to: Shape) => Relation) {
    const byShape = new Map<string, { shape: Shape; knots: Knot[] }>();
    for (const { shape, knot } of points) {
      const key = JSON.stringify(shape);
      const same = byShape.get(key);
      if (same) same.knots.push(knot);
      else byShape.set(key, { shape, knots: [knot] });
    }
    this.#measured = [...byShape.values()].map(({ shape, knots }) => ({ shape, curve: new Curve(mediansOf(knots)) }));
    this.#relate = relate;
  }

  /** @param key that tells the shape from all others */
  curve(key: string, shape: Shape): Curve {
    const known = this.#known.get(key);
    if (known) return known;
    const curve = this.#estimated(shape);
    this.#known.set(key, curve);
    return curve;
  }

  #estimated(shape: Shape): Curve {
    const estimates = this.#measured.map(({ shape: from, curve }) => ({ curve, ...this.#relate(from, shape) }));
    const sizes = estimates.flatMap(({ curve, stretch }) => Array.from(curve.sizes, (size) => size / stretch));
    const knots = [...new Set(sizes)]
      .sort((a, b) => a - b)
      .map((size): [number, number, boolean] => at(size, estimates));
    // What was measured stands; estimates beside it give way, so that the time never falls.
    const first = knots.findIndex(([, , own]) => own);
    const last = knots.findLastIndex(([, , own]) => own);
    if (first > 0) for (let i = first - 1; i >= 0; i--) knots[i][1] = Math.min(knots[i][1], knots[i + 1][1]);
    if (last >= 0) for (let i = last + 1; i < knots.length; i++) knots[i][1] = Math.max(knots[i][1], knots[i - 1][1]);
    return new Curve(knots.map(([size, seconds]) => [size, seconds]));
  }
}

/** The size, the seconds there, and whether they are of a curve that was measured for this shape and reaches this size. */
function at(size: number, estimates: readonly Estimate[]): [number, number, boolean] {
  const ranked = estimates
    .map(({ curve, stretch, factor, distance }) => {
      const asked = size * stretch;
      const beyond = Math.log(Math.max(1, asked / curve.largest, curve.smallest / asked));
      return { seconds: factor * curve.at(asked), distance: Math.hypot(distance, beyond) };
    })
    .sort((a, b) => a.distance - b.distance)
    .slice(0, NEIGHBOURS);
  if (ranked[0].distance === 0) return [size, ranked[0].seconds, true];
  let weights = 0;
  let seconds = 0;
  for (const estimate of ranked) {
    const weight = 1 / estimate.distance ** 2;
    weights += weight;
    seconds += weight * estimate.seconds;
  }
  return [size, seconds / weights, false];
}

/** Points of one shape and size may come from different tables: one of them, the median, speaks for all. */
function mediansOf(knots: readonly Knot[]): Knot[] {
  const bySize = new Map<number, number[]>();
  for (const [size, seconds] of knots) bySize.set(size, [...(bySize.get(size) ?? []), seconds]);
  return [...bySize].map(([size, seconds]) => [size, seconds.sort((a, b) => a - b)[seconds.length >> 1]]);
}
