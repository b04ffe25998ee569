import { describe, expect, it } from 'vitest';
import { PROFILE_LISTS, parseProfile, profileJsonSchema } from '../../../sim/profile/profile.ts';
import { InputError } from '../../../sim/scenario/input-error.ts';
import { repeats, smallProfile } from './profiles.ts';

// biome-ignore lint/suspicious/noExplicitAny: broken documents have no type
type Json = any;

function messageOf(change: (document: Json) => void): string {
  const document = smallProfile() as unknown as Json;
  change(document);
  try {
    parseProfile(document);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return 'accepted';
}

/** Every path to a value of a document. */
function paths(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (value === null || typeof value !== 'object') return [path];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.flatMap((key) => paths(Reflect.get(value, key), [...path, key]));
}

describe('a profile', () => {
  it('comes back as it was written, with empty lists for what was not measured', () => {
    const document = smallProfile();
    expect(parseProfile(document)).toEqual(document);
    const { duplex, attention, hostAttention, elementwise, interference, hostMemory, ...rest } = document;
    const none = { duplex: [], attention: [], hostAttention: [], elementwise: [], interference: [], hostMemory: [] };
    expect(parseProfile(rest)).toEqual({ ...rest, ...none });
  });

  it('is refused with the path of whatever value is broken, one by one', () => {
    const all = paths(smallProfile()).filter((path) => path[0] !== 'schema' && !path.includes('versions'));
    expect(all.length).toBeGreaterThan(100);
    for (const path of all) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, -1, null, {}]) {
        const message = messageOf((document) => {
          const parent = path.slice(0, -1).reduce<Json>((at, key) => at[key as string], document);
          parent[path.at(-1) as string] = bad as Json;
        });
        expect(message, `${path.join('.')} = ${bad}`).toContain(String(path.at(-1)));
        expect(message).toMatch(/found .+, expected .+/);
      }
    }
  });

  it.each<[string, (document: Json) => void, string]>([
    [
      'an unknown key of a point',
      ({ gemm }) => Object.assign(gemm[1], { rows: 4 }),
      'gemm[1]: found unknown key "rows", expected one of type, m, n, k, batch, seconds',
    ],
    [
      'a missing list',
      (document) => Reflect.deleteProperty(document, 'copies'),
      'copies: found nothing, expected a list',
    ],
    [
      'a quantile on the wrong side of the median',
      ({ gemm }) => Object.assign(gemm[0].seconds, { p95: 1e-9 }),
      'gemm[0].seconds: found p05, median and p95 out of order, expected p05 ≤ median ≤ p95',
    ],
    [
      'a type that does not exist',
      ({ attention }) => Object.assign(attention[0], { type: 'fp61' }),
      'attention[0].type: found "fp61", expected one of fp32, fp16, bf16, int8, int4',
    ],
    [
      'two measurements of one thing',
      ({ copies }) => copies.push(copies[0]),
      'copies[6]: found the same direction, pinned, bytes as in copies[0]: ["h2d",true,1000], expected each point once',
    ],
    [
      'another version',
      (document) => Object.assign(document, { schema: 'splitpoint-profile/2' }),
      'schema: found "splitpoint-profile/2", expected splitpoint-profile/1',
    ],
  ])('is refused with %s', (_, change, message) => {
    expect(messageOf(change)).toContain(message);
  });

  it('may keep the single repeats of a point', () => {
    const document = smallProfile();
    const seconds = { ...repeats(1), samples: [1, 1, 1] };
    const parsed = parseProfile({ ...document, launch: seconds });
    expect(parsed.launch?.samples).toEqual([1, 1, 1]);
  });

  it('has a sentence and a schema for each list of measurements', () => {
    const { properties } = profileJsonSchema() as { properties: object };
    const lists = Object.keys(properties).filter((key) => Object.hasOwn(PROFILE_LISTS, key));
    expect(lists.sort()).toEqual(Object.keys(PROFILE_LISTS).sort());
  });
});
