import { InputError } from '../scenario/input-error.ts';
import { quoted } from '../scenario/path.ts';

/** What a quantity measures; parsed values are in bytes, bytes/s, FLOP/s and seconds. */
export type Dimension = 'bytes' | 'bytesPerSecond' | 'flopsPerSecond' | 'seconds';

interface Grammar {
  /** How a quantity of this dimension is called in an error: "25 GB, a size". */
  noun: string;
  /** Completes "expected …". */
  expected: string;
  /** Anything smaller is a slip of the pen; 0 where nothing is too small. */
  smallest: number;
  infinite: boolean;
  /** Anything larger is a slip of the pen. */
  largest: number;
  /** Decimal exponent of each unit; the first of an exponent is the one that is written. */
  decimal: readonly (readonly [unit: string, exponent: number])[];
  /** Binary exponent of each unit. */
  binary: readonly (readonly [unit: string, exponent: number])[];
}

const DECIMAL_BYTES = [
  ['B', 0],
  ['kB', 3],
  ['KB', 3],
  ['MB', 6],
  ['GB', 9],
  ['TB', 12],
  ['PB', 15],
] as const;

const BINARY_BYTES = [
  ['KiB', 10],
  ['MiB', 20],
  ['GiB', 30],
  ['TiB', 40],
] as const;

const FLOPS = [
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
] as const;

const GRAMMARS: Record<Dimension, Grammar> = {
  bytes: {
    noun: 'a size',
    expected: 'a size such as 40 GiB',
    smallest: 2 ** 10,
    infinite: false,
    largest: 1e18,
    decimal: DECIMAL_BYTES,
    binary: BINARY_BYTES,
  },
  bytesPerSecond: {
    noun: 'a rate',
    expected: 'a rate such as 25 GB/s',
    smallest: 1e3,
    infinite: true,
    largest: 1e18,
    decimal: DECIMAL_BYTES.map(([unit, exponent]) => [`${unit}/s`, exponent]),
    binary: BINARY_BYTES.map(([unit, exponent]) => [`${unit}/s`, exponent]),
  },
  flopsPerSecond: {
    noun: 'an arithmetic rate',
    expected: 'an arithmetic rate such as 312 TFLOP/s',
    smallest: 1e3,
    infinite: true,
    largest: 1e18,
    decimal: ['FLOP/s', 'FLOPS'].flatMap((flops) =>
      FLOPS.map(([prefix, exponent]) => [`${prefix}${flops}`, exponent] as const),
    ),
    binary: [],
  },
  seconds: {
    noun: 'a time',
    expected: 'a time such as 8 us',
    smallest: 0,
    infinite: false,
    largest: 1e3,
    decimal: [
      ['s', 0],
      ['ms', -3],
      ['us', -6],
      ['µs', -6],
      ['μs', -6],
      ['ns', -9],
    ],
    binary: [],
  },
};

const NUMBER_AND_UNIT =
  /^\s*([+-]?)(\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE]([+-]?\d{1,4}))?\s*([^\s\d.+-]\S{0,9})?\s*$/;

const LONGEST = 100;

/** What a quantity of this dimension looks like, to complete "expected …". */
export function expectedQuantity(dimension: Dimension): string {
  return GRAMMARS[dimension].expected;
}

/**
 * Reads a number with a unit: `25 GB/s` (decimal), `40 GiB` (binary), `312 TFLOP/s`, `8 us`; `inf` for rates, a plain 0 for times.
 * Bytes are rounded to whole ones.
 * @throws InputError where the text is no quantity of this dimension, negative, absurdly large or small.
 */
export function parseQuantity(text: unknown, dimension: Dimension, path = ''): number {
  const { expected, infinite, smallest, largest } = GRAMMARS[dimension];
  const reject = (why: string, wanted = expected): never => {
    throw new InputError({ path, found: `${quoted(text)}${why}`, expected: wanted });
  };
  if (text === 0 && smallest === 0) return 0;
  if (typeof text === 'number') return reject(', a number without a unit');
  if (typeof text !== 'string') return reject('');
  if (text.trim() === 'inf') return infinite ? Number.POSITIVE_INFINITY : reject(', not finite');
  const parts = text.length <= LONGEST ? NUMBER_AND_UNIT.exec(text) : null;
  if (!parts) return reject('');
  const [, sign, digits, exponent, unit] = parts;
  if (unit === undefined) return reject(', a number without a unit');
  const value = scaled(digits, Number(exponent ?? 0), unit, dimension);
  if (value === undefined) return reject(`, ${nounOfUnit(unit) ?? `with the unknown unit ${quoted(unit)}`}`);
  if (sign === '-' && value !== 0) return reject(', a negative quantity');
  if (value > largest) return reject('', `${expected}, at most ${quantityText(largest, dimension)}`);
  const result = dimension === 'bytes' ? Math.round(value) : value;
  if (result < smallest) return reject('', `${expected}, at least ${quantityText(smallest, dimension)}`);
  return result;
}

/** The correctly rounded value in base units, undefined where the dimension has no such unit. */
function scaled(digits: string, exponent: number, unit: string, dimension: Dimension): number | undefined {
  const { decimal, binary } = GRAMMARS[dimension];
  const power = decimal.find(([name]) => name === unit)?.[1];
  if (power !== undefined) return Number(`${digits}e${exponent + power}`);
  const shift = binary.find(([name]) => name === unit)?.[1];
  return shift === undefined ? undefined : Number(`${digits}e${exponent}`) * 2 ** shift;
}

function nounOfUnit(unit: string): string | undefined {
  const dimension = dimensionOfUnit(unit);
  return dimension && GRAMMARS[dimension].noun;
}

function dimensionOfUnit(unit: string | undefined): Dimension | undefined {
  return (Object.keys(GRAMMARS) as Dimension[]).find((dimension) => {
    const { decimal, binary } = GRAMMARS[dimension];
    return [...decimal, ...binary].some(([name]) => name === unit);
  });
}

/** What a text such as `25 GB/s` measures, by its unit; undefined where it is no quantity. */
export function dimensionOf(text: string): Dimension | undefined {
  return dimensionOfUnit(NUMBER_AND_UNIT.exec(text.slice(0, LONGEST))?.[4]);
}

/**
 * Text that `parseQuantity` reads back as exactly this value: a short whole number of binary units where a size is one,
 * else decimal units with the shortest digits.
 */
export function quantityText(value: number, dimension: Dimension): string {
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  const { decimal, binary } = GRAMMARS[dimension];
  if (dimension === 'bytes') {
    const whole = binary.findLast(([, exponent]) => value % 2 ** exponent === 0 && value / 2 ** exponent <= 1e5);
    if (value > 0 && whole) return `${value / 2 ** whole[1]} ${whole[0]}`;
  }
  const [mantissa, power] = value.toExponential().split('e');
  const byExponent = decimal.toSorted((a, b) => a[1] - b[1]);
  const fitting = byExponent.filter(([, exponent]) => exponent <= Number(power)).at(-1)?.[1] ?? byExponent[0][1];
  const exponent = value === 0 ? 0 : fitting;
  const unit = decimal.find((candidate) => candidate[1] === exponent)![0];
  return `${shifted(mantissa, Number(power) - exponent)} ${unit}`;
}

/** `mantissa × 10^places` in plain digits where that is short: ('1.935', 3) → '1935'. */
function shifted(mantissa: string, places: number): string {
  if (places < 0 || places > 20) return `${mantissa}e${places}`;
  const [whole, fraction = ''] = mantissa.split('.');
  const rest = fraction.slice(places);
  return `${whole}${fraction.slice(0, places).padEnd(places, '0')}${rest ? `.${rest}` : ''}`;
}
