const MOST = 3;
const LONGEST = 80;

/**
 * At most three of `names` that may have been meant, nearest first; none where nothing is near.
 * Case and separators do not count, a name that contains what was typed is near, and where no other is,
 * so are the names that begin with the same word: `rtx-9999` was meant for one of the `rtx-…`.
 */
export function nearestNames(name: string, names: readonly string[]): string[] {
  const typed = plain(name.slice(0, LONGEST));
  if (typed === '') return [];
  const tolerance = Math.max(1, Math.floor(typed.length / 3));
  const byDistance = names
    .map((candidate) => ({ candidate, distance: distanceTo(typed, plain(candidate), tolerance) }))
    .sort((a, b) => a.distance - b.distance);
  const near = byDistance.filter(({ distance }) => distance <= tolerance);
  const word = firstWord(name);
  const relatives = byDistance.filter(({ candidate }) => word !== undefined && firstWord(candidate) === word);
  return (near.length > 0 ? near : relatives).slice(0, MOST).map(({ candidate }) => candidate);
}

/** Letters that a name begins with, where they are enough to mean something. */
function firstWord(name: string): string | undefined {
  return /^[a-z]{3,}/.exec(name.toLowerCase())?.[0];
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function distanceTo(typed: string, candidate: string, tolerance: number): number {
  const distance = editDistance(typed, candidate);
  const contained =
    typed.length >= 2 && (candidate.includes(typed) || (candidate.length >= 3 && typed.includes(candidate)));
  return contained ? Math.min(distance, tolerance) : distance;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, previous[j] + 1, row[j - 1] + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], beforePrevious[j - 2] + 1);
      }
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length];
}
