/** Where a figure comes from. Only `measured` was observed; `assumption` is a choice with its reason in `source`. */
export type Basis = 'datasheet' | 'measured' | 'assumption';

/** A figure of the catalogue with its provenance. */
export interface Figure {
  /** A quantity with its unit (`312 TFLOP/s`) or a plain number. */
  value: string;
  basis: Basis;
  source: string;
}

export interface GpuEntry {
  title: string;
  memory: Figure;
  matmul: Figure;
  matmulFp32: Figure;
  memoryBandwidth: Figure;
  multiprocessors: Figure;
  launch: Figure;
  /** Reached share of `matmul` and `matmulFp32`. */
  matmulEfficiency: Figure;
  /** Reached share of `memoryBandwidth`. */
  memoryEfficiency: Figure;
}

export interface HostEntry {
  title: string;
  memory: Figure;
  memoryBandwidth: Figure;
  matmul: Figure;
  /** Reached share of `memoryBandwidth`. */
  memoryEfficiency: Figure;
}

export interface LinkEntry {
  title: string;
  h2d: Figure;
  d2h: Figure;
  latency: Figure;
  duplex: Figure;
}

/** A named combination of catalogue parts. */
export interface MachineParts {
  gpu: string;
  host: string;
  link: string;
}

export function datasheet(value: string, source: string): Figure {
  return { value, basis: 'datasheet', source };
}

export function measured(value: string, source: string): Figure {
  return { value, basis: 'measured', source };
}

export function assumption(value: string, source: string): Figure {
  return { value, basis: 'assumption', source };
}
