/** Keys from a document's root to a value in it. */
export type DocumentPath = readonly PropertyKey[];

/** A path for people: `workload.batch`, `schedules[1]`, `sweep."machine.link.h2d"`. */
export function pathText(path: DocumentPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = /^[\w-]+$/.test(String(key)) ? String(key) : JSON.stringify(String(key));
    return text ? `${text}.${name}` : name;
  }, '');
}

/** The value at a path, undefined where the path leads nowhere. */
export function valueAt(document: unknown, path: DocumentPath): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      value !== null && typeof value === 'object' && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined,
    document,
  );
}

const MOST_QUOTED = 60;

/** A value as it is quoted in an error: JSON, at most 60 characters. Never throws, whatever the value. */
export function quoted(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'number' ? String(value) : beginningOfJson(value);
  return text.length > MOST_QUOTED ? `${text.slice(0, MOST_QUOTED - 1)}…` : text;
}

/** JSON with all but the first values left out, which is more than is quoted: a value may be huge when its parts are shared. */
function beginningOfJson(value: unknown): string {
  let values = 0;
  try {
    return JSON.stringify(value, (_, part) => (values++ > MOST_QUOTED ? null : part)) ?? `a ${typeof value}`;
  } catch {
    return `a ${typeof value} that JSON cannot hold`;
  }
}
