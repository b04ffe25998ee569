import { describe, expect, it } from 'vitest';
import { mergeProfiles } from '../../../exec/profile/merge.ts';
import { repeatsOf } from '../../../exec/profile/workbench.ts';
import { PROFILE_SCHEMA, parseProfile } from '../../../sim/profile/profile.ts';

const profile = (seconds: number, sizes: number[], notes?: string[], more: object = {}) =>
  parseProfile({
    schema: PROFILE_SCHEMA,
    provenance: {
      backend: 'cpu',
      device: 'a CPU',
      driver: '',
      blas: '',
      versions: {},
      date: '2026-11-23',
      commit: 'unknown',
      host: `measured at ${seconds}`,
      source: { kind: 'measured', ...(notes && { notes }) },
    },
    memory: { gpuBytes: 1, hostBytes: 1 },
    multiprocessors: 0,
    copies: sizes.map((bytes) => ({
      direction: 'h2d',
      pinned: true,
      bytes,
      seconds: repeatsOf([seconds, 2 * seconds]),
    })),
    gemm: [{ type: 'fp32', m: 1, n: 2, k: 3, batch: 1, seconds: repeatsOf([seconds]) }],
    launch: repeatsOf([seconds]),
    hostMemory: [{ threads: 1, bytesPerSecond: 10 * seconds }],
    ...more,
  });

describe('two profiles of one device', () => {
  const merged = mergeProfiles(profile(1, [8, 16]), profile(3, [16, 32]));

  it('become one with the repeats of both where both measured', () => {
    expect(merged.gemm[0].seconds).toMatchObject({ median: 2, n: 2, samples: [1, 3] });
    expect(merged.launch?.samples).toEqual([1, 3]);
  });

  it('keep what only one of them measured', () => {
    expect(merged.copies.map(({ bytes, seconds }) => [bytes, seconds.samples])).toEqual([
      [8, [1, 2]],
      [16, [1, 2, 3, 6]],
      [32, [3, 6]],
    ]);
  });

  it('are told of as the first, with the notes of both', () => {
    expect(merged.provenance.host).toBe('measured at 1');
    expect(merged.provenance.source).toEqual({ kind: 'measured' });
    const noted = mergeProfiles(profile(1, [8], ['a', 'b']), profile(1, [8], ['b', 'c']));
    expect(noted.provenance.source.notes).toEqual(['a', 'b', 'c']);
    expect(mergeProfiles(profile(1, [8]), profile(1, [8], ['c'])).provenance.source.notes).toEqual(['c']);
  });

  it('keep gaps that only the second measured', () => {
    const handover = repeatsOf([5]);
    expect(mergeProfiles(profile(1, [8]), profile(1, [8], [], { handover })).handover).toEqual(handover);
  });

  it('have the best rate of memory, whichever measured it', () => {
    const best = [{ threads: 1, bytesPerSecond: 30 }];
    expect(merged.hostMemory).toEqual(best);
    expect(mergeProfiles(profile(3, [8]), profile(1, [8])).hostMemory).toEqual(best);
  });
});
