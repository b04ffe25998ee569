import { type Profile, parseProfile, type Repeats } from '../../sim/profile/profile.ts';
import { repeatsOf } from './workbench.ts';

/** Two profiles of one device as one: what both measured has the repeats of both. Provenance is the first's. */
export function mergeProfiles(first: Profile, second: Profile): Profile {
  const merged = Object.entries(first).map(([name, value]) => {
    const other = second[name as keyof Profile];
    if (Array.isArray(value) && Array.isArray(other)) return [name, mergeLists(value, other as Point[])];
    return [name, isRepeats(value) && isRepeats(other) ? bothRepeats(value, other) : value];
  });
  return parseProfile(Object.fromEntries(merged));
}

type Point = Record<string, unknown>;

function mergeLists(first: readonly Point[], second: readonly Point[]): Point[] {
  const others = new Map(second.map((point) => [keyOf(point), point]));
  const firsts = new Set(first.map(keyOf));
  return [
    ...first.map((point) => mergePoints(point, others.get(keyOf(point)))),
    ...second.filter((point) => !firsts.has(keyOf(point))),
  ];
}

function mergePoints(point: Point, other: Point | undefined): Point {
  if (!other) return point;
  const merged = Object.entries(point).map(([name, value]) => {
    const second = other[name];
    return [name, isRepeats(value) && isRepeats(second) ? bothRepeats(value, second) : value];
  });
  return Object.fromEntries(merged);
}

/** What a point is of: everything but what was measured. */
function keyOf(point: Point): string {
  return JSON.stringify(
    Object.entries(point).filter(([name, value]) => !isRepeats(value) && name !== 'bytesPerSecond'),
  );
}

function isRepeats(value: unknown): value is Repeats {
  return typeof value === 'object' && value !== null && 'median' in value;
}

function bothRepeats(first: Repeats, second: Repeats): Repeats {
  return first.samples && second.samples ? repeatsOf([...first.samples, ...second.samples]) : first;
}
