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
  const steepest = most.map((_, i) => Math.max(...rows.map((row) => row.slope[i])));
  // The optimum is at most `unit` above the floor: what the best of the free ways alone would take.
  const unit = Math.min(...steepest.filter((_, i) => most[i] >= 1));
  if (unit === 0) return floor;
  // Ways that are far slower than that count in smaller portions, so that their coefficients do not drown the others.
  const portion = steepest.map((slope) => 1 / Math.max(1, slope / unit));
  // Unknowns x in portions and u = (T − floor) / unit; the basis begins with slacks and with d = 1 − Σ x, at a price above any way's.
  const price = 2;
  const constraints = [
    ...rows.map(({ constant, slope }) => ({
      row: [...slope.map((s, i) => (s / unit) * portion[i]), -1],
      limit: (floor - constant) / unit,
    })),
    ...most.flatMap((limit, i) => (limit < 1 ? [{ row: axis(ways + 1, i, portion[i]), limit }] : [])),
    { row: [...portion, 0], limit: 1 },
  ];
  const columns = ways + 1 + constraints.length;
  const tableau = constraints.map(({ row, limit }, r) => [...row, ...axis(constraints.length, r), limit]);
  const basis = constraints.map((_, r) => ways + 1 + r);
  // Reduced costs of minimising u + price · d, with d in the basis from the start.
  const cost = [...portion.map((size) => -price * size), 1, ...new Array(constraints.length).fill(0), -price];
  for (;;) {
    const entering = cost.findIndex((value, column) => column < columns && value < -EPSILON);
    if (entering < 0) return floor + unit * -cost[columns];
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

function axis(length: number, at: number, value = 1): number[] {
  return Array.from({ length }, (_, i) => (i === at ? value : 0));
}
