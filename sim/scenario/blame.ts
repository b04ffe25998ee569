import { InputError } from './input-error.ts';
import { pathText, quoted } from './path.ts';
import { type Assignment, COMMAND_LINE, parseAssignment } from './set.ts';

/** Where a document's values come from. */
export interface Origin {
  /** The file the document came from, named in errors. */
  file?: string;
  /** Changes made before validation, each `path=value`: `workload.batch=8`, `machine.link.h2d=64 GB/s`. */
  sets?: readonly string[];
}

/** For a check across several values, the ones it looks at besides the path that its error names. */
const LOOKS_AT: Record<string, readonly string[]> = {
  workload: ['workload.promptTokens', 'workload.generatedTokens', 'model'],
  'workload.microBatches': ['model', 'layers'],
  layers: ['model'],
  split: ['workload.promptTokens', 'schedules', 'placement'],
  schedules: ['placement'],
};

/**
 * Does work on a document; an InputError from it that names no file yet gets the file, or the command line where an
 * assignment made what the error is about.
 *
 * @param valid whether the values are valid one by one, so that errors are about how they go together
 */
export function blaming<T>({ file, sets = [] }: Origin, valid: boolean, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof InputError)
      error.file ??= sets.some((set) => causes(parseAssignment(set), error, valid)) ? COMMAND_LINE : file;
    throw error;
  }
}

function causes(assignment: Assignment, { path, found }: InputError, valid: boolean): boolean {
  const assigned = pathText(assignment.path);
  if (isWithin(path, assigned)) return true;
  // A key that is refused was put there by whoever assigned it or something below it.
  const isItsKey = assignment.path.some(
    (key, depth) => path === pathText(assignment.path.slice(0, depth)) && found === `unknown key ${quoted(key)}`,
  );
  if (isItsKey || !valid) return isItsKey;
  const looksAt = Object.entries(LOOKS_AT).flatMap(([about, paths]) => (isAbout(path, about) ? paths : []));
  return looksAt.some((other) => isWithin(assigned, other) || isWithin(other, assigned));
}

/** `workload` is a whole check of its own, not every value in it. */
function isAbout(path: string, about: string): boolean {
  return about === 'workload' ? path === about : isWithin(path, about);
}

function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`);
}
