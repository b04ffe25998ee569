/** A resource: its seconds are constant + slope · x. */
export interface LinearSeconds {
  constant: number;
  slope: readonly number[];
}

const EPSILON = 1e-12;

/**
 * Smallest T such that x ≥ 0, Σ x = 1, x[i] ≤ most[i], and constant + slope · x ≤ T for every row. Simplex on a dense tableau with
 * Bland's rule, for a handful of unknowns. At least one x must be free (most[i] ≥ 1).
 */
export function minimumOfMaximum(rows: readonly LinearSeconds[], most: readonly number[]): number {
  const ways = most.length;
  const floor = Math.max(...rows.map((row) => row.constant));
  const steepest = Math.max(...rows.flatMap((row) => row.slope));
  if (steepest === 0) return floor;
  // Unknowns x and u = (T − floor) / steepest; the basis begins with slacks and with d = 1 − Σ x, whose price no way can exceed.
  const price = 2;
  const constraints = [
    ...rows.map(({ constant, slope }) => ({
      row: [...slope.map((s) => s / steepest), -1],
      limit: (floor - constant) / steepest,
    })),
    ...most.flatMap((limit, i) => (limit < 1 ? [{ row: unit(ways + 1, i), limit }] : [])),
    { row: [...new Array(ways).fill(1), 0], limit: 1 },
  ];
  const columns = ways + 1 + constraints.length;
  const tableau = constraints.map(({ row, limit }, r) => [...row, ...unit(constraints.length, r), limit]);
  const basis = constraints.map((_, r) => ways + 1 + r);
  // Reduced costs of minimising u + price · d, with d in the basis from the start.
  const cost = [...new Array(ways).fill(-price), 1, ...new Array(constraints.length).fill(0), -price];
  for (;;) {
    const entering = cost.findIndex((value, column) => column < columns && value < -EPSILON);
    if (entering < 0) return floor + steepest * -cost[columns];
    let leaving = -1;
    let least = Number.POSITIVE_INFINITY;
    tableau.forEach((row, r) => {
      if (row[entering] <= EPSILON) return;
      const ratio = row[columns] / row[entering];
      if (ratio < least - EPSILON || (ratio <= least + EPSILON && basis[r] < basis[leaving])) {
        least = ratio;
        leaving = r;
      }
    });
    if (leaving < 0) throw new Error('the linear programme has no minimum');
    const pivot = tableau[leaving].map((value) => value / tableau[leaving][entering]);
    tableau[leaving] = pivot;
    for (const row of [...tableau.filter((_, r) => r !== leaving), cost]) {
      const factor = row[entering];
      if (factor !== 0) for (let c = 0; c <= columns; c++) row[c] -= factor * pivot[c];
    }
    basis[leaving] = entering;
  }
}

function unit(length: number, at: number): number[] {
  return Array.from({ length }, (_, i) => (i === at ? 1 : 0));
}
