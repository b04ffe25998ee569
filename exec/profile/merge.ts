import { type Profile, parseProfile, type Repeats } from '../../sim/profile/profile.ts';
import { repeatsOf } from './workbench.ts';

/**
 * Two profiles of one device as one: what both measured has the repeats of both, and of memory's rate the best. Provenance is the first's,
 * but for the notes, which are those of both.
 */
export function mergeProfiles(first: Profile, second: Profile): Profile {
  const merged = Object.entries(first).map(([name, value]) => {
    const other = second[name as keyof Profile];
    if (Array.isArray(value) && Array.isArray(other)) return [name, mergeLists(value, other as Point[])];
    return [name, mergeValues(value, other)];
  });
  const { provenance } = first;
  const notes = [first, second].flatMap((profile) => profile.provenance.source.notes ?? []);
  const source = { ...provenance.source, ...(notes.length > 0 && { notes: [...new Set(notes)] }) };
  return parseProfile({ ...second, ...Object.fromEntries(merged), provenance: { ...provenance, source } });
}

/** The one figure of points that is no time. */
const RATE = 'bytesPerSecond';

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
  return Object.fromEntries(
    Object.entries(point).map(([name, value]) => [name, mergeValues(value, other[name], name)]),
  );
}

function mergeValues(first: unknown, second: unknown, name = ''): unknown {
  if (isRepeats(first) && isRepeats(second)) return bothRepeats(first, second);
  return name === RATE ? Math.max(first as number, second as number) : first;
}

/** What a point is of: everything but what was measured. */
function keyOf(point: Point): string {
  return JSON.stringify(Object.entries(point).filter(([name, value]) => !isRepeats(value) && name !== RATE));
}

function isRepeats(value: unknown): value is Repeats {
  return typeof value === 'object' && value !== null && 'median' in value;
}

function bothRepeats(first: Repeats, second: Repeats): Repeats {
  return first.samples && second.samples ? repeatsOf([...first.samples, ...second.samples]) : first;
}
