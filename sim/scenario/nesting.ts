import { InputError } from './input-error.ts';

/** Levels of lists and mappings in a document: more than any scenario needs, and few enough for every recursion. */
export const MAX_DEPTH = 64;

/** Refuses a value that contains itself, or is nested more than 64 levels deep, with an InputError. */
export function refuseEndlessNesting(document: unknown): void {
  const levels = new Map<object, number>();
  const open = new Set<object>();
  const levelsOf = (value: unknown, depth: number): number => {
    if (value === null || typeof value !== 'object') return 0;
    if (open.has(value)) {
      throw new InputError({ found: 'a value that contains itself', expected: 'lists and mappings that end' });
    }
    // A part that is used several times is looked into once.
    const known = levels.get(value);
    if (depth + (known ?? 1) > MAX_DEPTH) throw tooDeep();
    if (known !== undefined) return known;
    open.add(value);
    const below = Object.values(value).reduce<number>((most, part) => Math.max(most, levelsOf(part, depth + 1)), 0);
    open.delete(value);
    levels.set(value, below + 1);
    return below + 1;
  };
  levelsOf(document, 0);
}

export const tooDeep = () => new InputError({ found: 'deeper nesting', expected: `at most ${MAX_DEPTH} levels` });
