import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { InputError } from '../../../sim/scenario/input-error.ts';
import { parseScenario } from '../../../sim/scenario/parse.ts';
import { IDEAL_MACHINE, INLINE_SHAPE, VALID } from './valid.ts';

/** Whether the text is a scenario; anything thrown but an InputError with one line fails the test. */
function accepts(text: string, sets: string[] = []): boolean {
  try {
    const { workload, machine } = parseScenario(text, { sets, readModelConfig: () => ({}) });
    for (const count of Object.values(workload)) expect(Number.isSafeInteger(count) && count > 0).toBe(true);
    expect(Object.values(machine.link).some(Number.isNaN)).toBe(false);
    return true;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.message).not.toBe('');
    return false;
  }
}

const FULL = {
  ...VALID,
  name: 'full',
  model: INLINE_SHAPE,
  machine: IDEAL_MACHINE,
  layers: 2,
  precision: { weights: 'fp16', kv: 'int8', activations: 'bf16' },
  placement: { weights: 'host', kv: 'gpu' },
  schedules: ['transfer', 'kvpr-row'],
  split: { recomputed: '37%', resident: 10 },
  sweep: { 'workload.batch': [1, 8] },
};

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    ' ',
    -1,
    0,
    1e308,
    0.1,
    'inf',
    '-inf',
    'nan',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    [],
    {},
    '1e400 GB/s',
    '0 GB/s',
    '1e-400 s',
    '999%',
    '37%',
    '__proto__',
    'constructor',
    'toString',
    'a/b',
    '..',
    'opt-6.7b',
  ),
  fc.jsonValue(),
  fc.string(),
);

const SMALL = stringify(VALID);

/** Paths to every value of a document. */
function pathsOf(value: unknown, path: string[] = []): string[][] {
  const inner = value !== null && typeof value === 'object' ? Object.entries(value) : [];
  return [path, ...inner.flatMap(([key, child]) => pathsOf(child, [...path, key]))];
}

function changed(document: unknown, path: string[], value: unknown): unknown {
  if (path.length === 0) return value;
  const [key, ...rest] = path;
  const copy = structuredClone(document) as Record<string, unknown>;
  Object.defineProperty(copy, key, {
    value: changed(copy[key], rest, value),
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return copy;
}

describe('no scenario text makes the reader throw anything but an InputError', () => {
  it('whatever characters it is made of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void accepts(text)),
      { numRuns: 1000 },
    );
  });

  it('however its YAML is put together', () => {
    const pieces = fc.constantFrom(
      'model',
      'machine',
      'workload',
      ': ',
      ':',
      '- ',
      '\n',
      '\n  ',
      '{',
      '}',
      '[',
      ']',
      ',',
      '"',
      "'",
      '&a ',
      '*a',
      '&b ',
      '*b',
      'model: &a [*a',
      'sweep: &b {x: *b',
      '!t ',
      '? ',
      '|',
      '>',
      '#',
      '<<',
      '---',
      '...',
      '%',
      '37%',
      '8 GB/s',
      'opt-6.7b',
      '1',
      '~',
      '\t',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => void accepts(parts.join(''))),
      { numRuns: 2000 },
    );
  });

  it('with any value in any place of a valid scenario', () => {
    expect(accepts(stringify(FULL))).toBe(true);
    fc.assert(
      fc.property(
        fc.constantFrom(...pathsOf(FULL)),
        odd,
        (path, value) => void accepts(stringify(changed(FULL, path, value))),
      ),
      { numRuns: 2000 },
    );
  });

  it('with characters of a valid scenario replaced', () => {
    const text = stringify(FULL);
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(8), fc.string({ maxLength: 4 }), (at, length, inserted) => {
        accepts(text.slice(0, at) + inserted + text.slice(at + length));
      }),
      { numRuns: 2000 },
    );
  });

  it('whatever --set says', () => {
    expect(accepts(SMALL, ['workload.batch=2'])).toBe(true);
    expect(accepts(SMALL, ['model=&a [*a]'])).toBe(false);
    const path = fc.oneof(
      fc.constantFrom(...pathsOf(FULL).map((keys) => keys.join('.'))),
      fc.string({ maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(path, odd), { maxLength: 3 }), (sets) => {
        accepts(
          SMALL,
          sets.map(([where, value]) => `${where}=${JSON.stringify(value)}`),
        );
      }),
      { numRuns: 1000 },
    );
  });
});
