/** One thing that `doctor` looked for. */
export interface Finding {
  name: string;
  /** What was found; null where it is missing. */
  found: string | null;
  /** What to do, or what is not possible without it; null where all is well. */
  advice: string | null;
}

/** A finding that is well where something was found and carries the advice where nothing was. */
export function finding(name: string, found: string | null | undefined, adviceIfMissing: string): Finding {
  return found ? { name, found, advice: null } : { name, found: null, advice: adviceIfMissing };
}
