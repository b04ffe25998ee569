type Unit = readonly [name: string, size: number];

const BYTES: readonly Unit[] = [
  ['B', 1],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
  ['TiB', 2 ** 40],
];

const SECONDS: readonly Unit[] = [
  ['ns', 1e-9],
  ['µs', 1e-6],
  ['ms', 1e-3],
  ['s', 1],
];

const PREFIXES: readonly Unit[] = [
  ['', 1],
  ['k', 1e3],
  ['M', 1e6],
  ['G', 1e9],
  ['T', 1e12],
  ['P', 1e15],
];

/** A size for people, in binary units and three significant digits: `40 GiB`, `1.31 MiB`. */
export function formatBytes(bytes: number): string {
  return format(bytes, BYTES);
}

/** A duration for people: `8 µs`, `21.5 ms`, `83.2 s`. */
export function formatSeconds(seconds: number): string {
  return format(seconds, SECONDS);
}

/** A transfer rate for people, in decimal units: `25.5 GB/s`, `1.94 TB/s`, `inf`. */
export function formatRate(bytesPerSecond: number): string {
  return format(bytesPerSecond, suffixed('B/s'));
}

/** A number of floating-point operations for people: `134 MFLOP`. */
export function formatFlops(flops: number): string {
  return format(flops, suffixed('FLOP'));
}

/** Arithmetic throughput for people: `312 TFLOP/s`, `inf`. */
export function formatFlopsPerSecond(flopsPerSecond: number): string {
  return format(flopsPerSecond, suffixed('FLOP/s'));
}

function suffixed(suffix: string): Unit[] {
  return PREFIXES.map(([prefix, size]) => [`${prefix}${suffix}`, size]);
}

/** Three significant digits, and all digits before the point, in the largest unit of which there is at least one. */
function format(value: number, units: readonly Unit[]): string {
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  if (value === 0) return `0 ${units.find(([, size]) => size === 1)![0]}`;
  const [name, size] = units.findLast(([, unit]) => rounded(Math.abs(value) / unit) >= 1) ?? units[0];
  return `${rounded(value / size)} ${name}`;
}

function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}
