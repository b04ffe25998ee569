import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../sim/scenario/input-error.ts';
import { type Dimension, parseQuantity, quantityText } from '../../../sim/units/quantity.ts';

const DIMENSIONS: readonly Dimension[] = ['bytes', 'bytesPerSecond', 'flopsPerSecond', 'seconds'];

function errorOf(text: unknown, dimension: Dimension, path?: string): InputError {
  try {
    parseQuantity(text, dimension, path);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error(`${String(text)} was accepted`);
}

describe('parseQuantity', () => {
  it.each<[string, Dimension, number]>([
    ['25 GB/s', 'bytesPerSecond', 25e9],
    ['25GB/s', 'bytesPerSecond', 25e9],
    ['  1.5   TB/s ', 'bytesPerSecond', 1.5e12],
    ['2 GiB/s', 'bytesPerSecond', 2 ** 31],
    ['1e3 MB/s', 'bytesPerSecond', 1e9],
    ['.5 MB/s', 'bytesPerSecond', 5e5],
    ['inf', 'bytesPerSecond', Number.POSITIVE_INFINITY],
    ['40 GiB', 'bytes', 40 * 2 ** 30],
    ['80 GB', 'bytes', 80e9],
    ['6400 KB', 'bytes', 64e5],
    ['1.3 MiB', 'bytes', 1363149],
    ['312 TFLOP/s', 'flopsPerSecond', 312e12],
    ['312 TFLOPS', 'flopsPerSecond', 312e12],
    ['2.25 PFLOP/s', 'flopsPerSecond', 2.25e15],
    ['100 GFLOPS', 'flopsPerSecond', 1e11],
    ['inf', 'flopsPerSecond', Number.POSITIVE_INFINITY],
    ['8 us', 'seconds', 8e-6],
    ['3 us', 'seconds', 3e-6],
    ['8 µs', 'seconds', 8e-6],
    ['8 μs', 'seconds', 8e-6],
    ['250 ns', 'seconds', 250e-9],
    ['1.5 ms', 'seconds', 1.5e-3],
    ['0 s', 'seconds', 0],
    ['1 kB/s', 'bytesPerSecond', 1e3],
    ['1 MFLOP/s', 'flopsPerSecond', 1e6],
    ['1 MiB', 'bytes', 2 ** 20],
  ])('reads %j as %s', (text, dimension, value) => {
    expect(parseQuantity(text, dimension)).toBe(value);
  });

  it('says where the quantity is, what was found and what was expected', () => {
    const error = errorOf('25 GB', 'bytesPerSecond', 'machine.link.h2d');
    expect(error.message).toBe('machine.link.h2d: found "25 GB", a size, expected a rate such as 25 GB/s');
  });

  it.each<[unknown, Dimension, string]>([
    [25, 'bytesPerSecond', '25, a number without a unit'],
    [Number.NaN, 'bytesPerSecond', 'NaN, a number without a unit'],
    ['25', 'bytesPerSecond', '"25", a number without a unit'],
    ['25 GB/s', 'bytes', '"25 GB/s", a rate'],
    ['8 us', 'flopsPerSecond', '"8 us", a time'],
    ['1 TFLOP/s', 'seconds', '"1 TFLOP/s", an arithmetic rate'],
    ['8 parsecs', 'seconds', '"8 parsecs", with the unknown unit "parsecs"'],
    ['25 Gb/s', 'bytesPerSecond', '"25 Gb/s", with the unknown unit "Gb/s"'],
    ['-25 GB/s', 'bytesPerSecond', '"-25 GB/s", a negative quantity'],
    ['inf', 'bytes', '"inf", not finite'],
    ['inf', 'seconds', '"inf", not finite'],
    ['0 GB/s', 'bytesPerSecond', '"0 GB/s"'],
    ['0 GiB', 'bytes', '"0 GiB"'],
    ['0.2 B', 'bytes', '"0.2 B"'],
    ['1e-400 GB/s', 'bytesPerSecond', '"1e-400 GB/s"'],
    ['999 B/s', 'bytesPerSecond', '"999 B/s"'],
    ['999 FLOP/s', 'flopsPerSecond', '"999 FLOP/s"'],
    ['1023 B', 'bytes', '"1023 B"'],
    [0, 'bytesPerSecond', '0, a number without a unit'],
    ['1e19 B/s', 'bytesPerSecond', '"1e19 B/s"'],
    ['1e400 GiB', 'bytes', '"1e400 GiB"'],
    ['2000 s', 'seconds', '"2000 s"'],
    ['NaN GB/s', 'bytesPerSecond', '"NaN GB/s"'],
    ['0x10 GB/s', 'bytesPerSecond', '"0x10 GB/s"'],
    ['1,000 GB/s', 'bytesPerSecond', '"1,000 GB/s"'],
    ['25 GB/s or so', 'bytesPerSecond', '"25 GB/s or so"'],
    ['', 'bytes', '""'],
    [['25 GB/s'], 'bytesPerSecond', '["25 GB/s"]'],
    [null, 'bytes', 'null'],
    [undefined, 'bytes', 'nothing'],
    [true, 'seconds', 'true'],
  ])('rejects %j as %s', (text, dimension, found) => {
    const error = errorOf(text, dimension);
    expect(error.found).toBe(found);
    expect(error.expected).toMatch(/ such as \d/);
  });

  it('names the limit that an absurd quantity exceeds', () => {
    expect(errorOf('1e19 B', 'bytes').expected).toBe('a size such as 40 GiB, at most 1000 PB');
  });

  it('names the limit that an absurd quantity falls short of', () => {
    expect(errorOf('5 B/s', 'bytesPerSecond').expected).toBe('a rate such as 25 GB/s, at least 1 kB/s');
    expect(errorOf('5 FLOP/s', 'flopsPerSecond').expected).toMatch(/, at least 1 kFLOP\/s$/);
    expect(errorOf('5 B', 'bytes').expected).toMatch(/, at least 1 KiB$/);
  });

  it('takes a plain zero for a time', () => {
    expect(parseQuantity(0, 'seconds')).toBe(0);
    expect(errorOf(1, 'seconds').found).toBe('1, a number without a unit');
  });

  it('cuts what it quotes at 60 characters', () => {
    expect(errorOf('9'.repeat(100_000), 'bytes').found).toHaveLength(60);
  });

  it('reads a long run of blanks without delay', () => {
    expect(errorOf(`5${' '.repeat(1_000_000)}?`, 'bytes')).toBeInstanceOf(InputError);
  });

  it('only ever returns an allowed number or throws an InputError', () => {
    const text = fc.oneof(
      fc.string(),
      fc.anything(),
      fc
        .tuple(fc.oneof(fc.double(), fc.integer()), fc.constantFrom('GB', 'GB/s', 'us', 'TFLOP/s', 'inf', ''))
        .map(([value, unit]) => `${value} ${unit}`),
    );
    fc.assert(
      fc.property(text, fc.constantFrom(...DIMENSIONS), (input, dimension) => {
        try {
          const value = parseQuantity(input, dimension);
          expect(value).toBeGreaterThanOrEqual(0);
          if (dimension !== 'seconds') expect(value).toBeGreaterThan(0);
          if (Number.isFinite(value)) expect(value).toBeLessThanOrEqual(1e18);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('quantityText', () => {
  it.each<[number, Dimension, string]>([
    [40 * 2 ** 30, 'bytes', '40 GiB'],
    [23034 * 2 ** 20, 'bytes', '23034 MiB'],
    [480e9, 'bytes', '480 GB'],
    [1, 'bytes', '1 B'],
    [1935e9, 'bytesPerSecond', '1.935 TB/s'],
    [25.52e9, 'bytesPerSecond', '25.52 GB/s'],
    [Number.POSITIVE_INFINITY, 'bytesPerSecond', 'inf'],
    [312e12, 'flopsPerSecond', '312 TFLOP/s'],
    [8e-6, 'seconds', '8 us'],
    [0, 'seconds', '0 s'],
    [90, 'seconds', '90 s'],
    [1e-12, 'seconds', '1e-3 ns'],
  ])('writes %d %s as %s', (value, dimension, text) => {
    expect(quantityText(value, dimension)).toBe(text);
  });

  it('is read back as exactly the same value', () => {
    const value = fc.double({ min: 1e6, max: 1e18, noNaN: true });
    fc.assert(
      fc.property(value, (rate) => {
        expect(parseQuantity(quantityText(rate, 'bytesPerSecond'), 'bytesPerSecond')).toBe(rate);
        expect(parseQuantity(quantityText(rate, 'flopsPerSecond'), 'flopsPerSecond')).toBe(rate);
      }),
    );
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e3, noNaN: true }), (time) => {
        expect(parseQuantity(quantityText(time, 'seconds'), 'seconds')).toBe(time + 0);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 2 ** 20, max: Number.MAX_SAFE_INTEGER }), fc.nat(9), (bytes, shift) => {
        const size = Math.max(2 ** 20, Math.floor(bytes / 2 ** shift));
        expect(parseQuantity(quantityText(size, 'bytes'), 'bytes')).toBe(size);
      }),
    );
  });
});
