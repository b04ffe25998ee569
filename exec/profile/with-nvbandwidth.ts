import { machineFromNvbandwidth } from '../../sim/profile/from-nvbandwidth.ts';
import { machineFromProfile } from '../../sim/profile/machine.ts';
import { type CopyPoint, type Profile, parseProfile, type Repeats } from '../../sim/profile/profile.ts';

/**
 * A profile with the link's rates as nvbandwidth measured them: pinned copies take the fixed cost of a copy as the profile has it and their
 * bytes at nvbandwidth's rate. All else stays.
 *
 * @param document what `nvbandwidth --json` wrote
 * @param file its name, for the provenance
 * @throws InputError where copies from host to device or back are not in it
 */
export function withNvbandwidth(profile: Profile, document: unknown, file: string): Profile {
  const { link } = machineFromNvbandwidth(document, machineFromProfile(profile));
  const rates = { h2d: link.h2dBytesPerSecond, d2h: link.d2hBytesPerSecond };
  const alone = (direction: CopyPoint['direction'], bytes: number) => link.latencySeconds + bytes / rates[direction];
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
      h2d: once(alone('h2d', bytes) / link.duplex),
      d2h: once(alone('d2h', bytes) / link.duplex),
    })),
  });
}

function once(seconds: number): Repeats {
  return { median: seconds, p05: seconds, p95: seconds, n: 1 };
}
