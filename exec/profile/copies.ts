import { COPY_DIRECTIONS, type CopyPoint, type Profile } from '../../sim/profile/profile.ts';
import type { Case, Samples } from './bench.ts';
import { copyProbe, type Probe } from './probe.ts';
import { repeatsOf, type Workbench } from './workbench.ts';

/** How much slower copies of two rows may be and still count as copies of one. */
const ROWS_TOLERANCE = 1.03;
const ROWS_BYTES = [2 ** 14, 2 ** 18, 2 ** 22];

/** Shares of the time. */
const SHARES = { alone: 0.42, together: 0.25, pageable: 0.25, rows: 0.08 };

/**
 * Copies of these sizes in either direction, from pinned and from pageable memory, and in both directions at once.
 *
 * @throws an error with the code DEVICE where a copy does not bring what its source holds
 */
export async function measureCopies(
  workbench: Workbench,
  sizes: readonly number[],
  seconds: number,
): Promise<Pick<Profile, 'copies' | 'duplex'>> {
  const lanes = COPY_DIRECTIONS.map((direction) => ({
    direction,
    pinned: sizes.map((bytes) => copyProbe(direction, 'pinned', bytes)),
    pageable: sizes.map((bytes) => copyProbe(direction, 'host', bytes)),
    rows: ROWS_BYTES.map((bytes) => copyProbe(direction, 'pinned', bytes, 2)),
  }));
  const casesOf = (list: 'pinned' | 'pageable' | 'rows') =>
    lanes.flatMap((one, lane) => one[list].map((probe): Case => (lane === 0 ? [probe] : [undefined, probe])));

  return workbench.with(
    lanes.map(({ pinned, pageable, rows }) => [...pinned, ...pageable, ...rows]),
    async (bench) => {
      for (const [lane, { direction, pinned, pageable, rows }] of lanes.entries()) {
        for (const probe of [pinned[0], pageable[0], rows[0]]) {
          if (await bench.copies(lane, probe)) continue;
          const problem = `a ${direction} copy of ${probe.bytes} bytes did not bring what its source holds`;
          throw Object.assign(new Error(problem), { code: 'DEVICE' });
        }
      }
      const measure = (what: string, cases: readonly Case[], share: number, atLeast = cases.length) =>
        workbench.measure(bench, what, cases, share * seconds, atLeast);
      const pinned = casesOf('pinned');
      const pageable = casesOf('pageable');
      const rows = casesOf('rows');
      const alone = points(pinned, await measure('copies', pinned, SHARES.alone), true);
      const both = sizes.map((_, i): Case => lanes.map((one) => one.pinned[i]));
      const together = await measure('duplex', both, SHARES.together, 0);
      const slow = points(pageable, await measure('pageable copies', pageable, SHARES.pageable), false);
      const inRows = points(rows, await measure('copies in rows', rows, SHARES.rows, 0), true);
      workbench.notes.push(...dearRows(alone, inRows));
      return {
        copies: [...alone, ...slow],
        duplex: sizes.flatMap((bytes, i) => {
          const [h2d, d2h] = together[i];
          return h2d && d2h ? [{ bytes, h2d: repeatsOf(h2d), d2h: repeatsOf(d2h) }] : [];
        }),
      };
    },
  );
}

function points(
  cases: readonly (readonly (Probe | undefined)[])[],
  samples: readonly Samples[],
  pinned: boolean,
): CopyPoint[] {
  return cases.flatMap((one, i) =>
    one.flatMap((probe, lane) => {
      const values = samples[i][lane];
      if (!probe || !values) return [];
      return [{ direction: COPY_DIRECTIONS[lane], pinned, bytes: probe.bytes, seconds: repeatsOf(values) }];
    }),
  );
}

/** Copies of a cache are two rows, and are priced as one: where that is not so, it is said. */
function dearRows(copies: readonly CopyPoint[], inRows: readonly CopyPoint[]): string[] {
  return inRows.flatMap(({ direction, bytes, seconds }) => {
    const one = copies.find((point) => point.direction === direction && point.bytes === bytes);
    const factor = one ? seconds.median / one.seconds.median : 1;
    if (factor <= ROWS_TOLERANCE) return [];
    return [`copies: ${bytes} bytes ${direction} in two rows take ${factor.toFixed(2)} times as long as in one`];
  });
}
