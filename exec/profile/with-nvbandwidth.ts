import { Resource } from '../../sim/machine/resources.ts';
import type { LinkRates } from '../../sim/profile/from-nvbandwidth.ts';
import { couplingsOf } from '../../sim/profile/interference.ts';
import { machineFromProfile } from '../../sim/profile/machine.ts';
import { type CopyPoint, type Profile, parseProfile, type Repeats } from '../../sim/profile/profile.ts';

type Direction = CopyPoint['direction'];

/**
 * A profile with the link's rates as nvbandwidth measured them: pinned copies take the fixed cost of a copy of their direction as the
 * profile has it and their bytes at nvbandwidth's rate; of both directions at once, each is slowed as nvbandwidth found, or else as the
 * profile has it. All else stays.
 *
 * @param file that the rates come from, for the provenance
 */
export function withNvbandwidth(profile: Profile, rates: LinkRates, file: string): Profile {
  const fixedSeconds = fixedCosts(profile);
  const factors = duplexFactors(profile, rates);
  const alone = (direction: Direction, bytes: number) => fixedSeconds[direction] + bytes / rates[direction];
  const { source } = profile.provenance;
  const note = `copies: rates of pinned copies by nvbandwidth (${file}), fixed costs as measured`;
  return parseProfile({
    ...profile,
    provenance: { ...profile.provenance, source: { ...source, notes: [...(source.notes ?? []), note] } },
    copies: profile.copies.map((point) =>
      point.pinned ? { ...point, seconds: once(alone(point.direction, point.bytes)) } : point,
    ),
    duplex: profile.duplex.map(({ bytes }) => ({
      bytes,
      h2d: once(alone('h2d', bytes) / factors.h2d),
      d2h: once(alone('d2h', bytes) / factors.d2h),
    })),
  });
}

/** Seconds of a direction's smallest pinned copy beyond its bytes at the best rate. */
function fixedCosts(profile: Profile): Record<Direction, number> {
  const { link } = machineFromProfile(profile);
  const of = (direction: Direction, bytesPerSecond: number) => {
    const own = profile.copies.filter((point) => point.pinned && point.direction === direction);
    const { bytes, seconds } = own.reduce((least, point) => (point.bytes < least.bytes ? point : least));
    return Math.max(0, seconds.median - bytes / bytesPerSecond);
  };
  return { h2d: of('h2d', link.h2dBytesPerSecond), d2h: of('d2h', link.d2hBytesPerSecond) };
}

/** What is left of either direction's rate while the other runs. */
function duplexFactors(profile: Profile, { h2d, d2h, h2dBoth, d2hBoth }: LinkRates): Record<Direction, number> {
  const measured = couplingsOf(profile).find(({ a, b }) => a === Resource.h2d && b === Resource.d2h);
  return {
    h2d: h2dBoth ? Math.min(1, h2dBoth / h2d) : (measured?.factorA ?? 1),
    d2h: d2hBoth ? Math.min(1, d2hBoth / d2h) : (measured?.factorB ?? 1),
  };
}

function once(seconds: number): Repeats {
  return { median: seconds, p05: seconds, p95: seconds, n: 1 };
}
