import { PRECISIONS, type Precision } from '../../sim/plan/plan.ts';
import type { Repeats } from '../../sim/profile/profile.ts';
import { type DeviceInfo, type DeviceOptions, native } from '../native.ts';
import { summariseRepeats } from '../repeats.ts';
import { Bench, type Case, fitting, type Samples } from './bench.ts';
import { chainPlan } from './chain.ts';
import type { Probe } from './probe.ts';
import { Regions } from './regions.ts';

/** A device to be measured, and notes of what could not be. */
export class Workbench {
  readonly info: DeviceInfo;
  readonly notes: string[] = [];
  readonly #device: DeviceOptions;
  readonly #ringBytes: number;
  readonly #signal: AbortSignal | undefined;

  /** @param ringBytes that chains go through before they come back to the same bytes */
  constructor(device: DeviceOptions, info: DeviceInfo, ringBytes: number, signal: AbortSignal | undefined) {
    this.#device = device;
    this.info = info;
    this.#ringBytes = ringBytes;
    this.#signal = signal;
  }

  /** Those that there are kernels and memory for. */
  measurable(what: string, probes: readonly Probe[]): Probe[] {
    const executable = probes.filter((probe) => {
      const regions = new Regions([[probe]], 0);
      return native().faultOf(chainPlan(regions, [{ lane: 0, probe, count: 1 }]).plan) === null;
    });
    const fit = fitting(executable, this.info);
    this.#leftOut(what, probes.length - executable.length, 'the executor has no kernel for them');
    this.#leftOut(what, executable.length - fit.length, 'memory does not hold them');
    return fit;
  }

  /** Does work with a bench for the probes of each lane. */
  async with<T>(lanes: readonly (readonly Probe[])[], work: (bench: Bench) => Promise<T>): Promise<T> {
    const bench = Bench.open(this.#device, lanes, this.#ringBytes, this.#signal);
    try {
      return await work(bench);
    } finally {
      bench.close();
    }
  }

  /** @param atLeast how many cases, the first ones, are not left out for want of time */
  async measure(bench: Bench, what: string, cases: readonly Case[], seconds: number, atLeast = 0): Promise<Samples[]> {
    const samples = await bench.measure(cases, seconds, atLeast);
    const missing = samples.filter((sample) => sample.every((values) => values === undefined)).length;
    this.#leftOut(what, missing, 'there was no time for them');
    return samples;
  }

  #leftOut(what: string, count: number, because: string): void {
    if (count > 0) this.notes.push(`${what}: ${count} left out, ${because}`);
  }
}

export function repeatsOf(seconds: readonly number[]): Repeats {
  return { ...summariseRepeats(seconds), samples: seconds.map((one) => Number(one.toPrecision(5))) };
}

export function typeOf({ dtype }: Probe): Precision {
  return PRECISIONS[dtype];
}

export function gemmShape(probe: Probe) {
  const { m, n, k, batch } = probe;
  return { type: typeOf(probe), m, n, k, batch };
}

export function attentionShape(probe: Probe) {
  const { batch, heads, kvHeads, headDim } = probe.model;
  return { type: typeOf(probe), batch, heads, kvHeads, headDim, context: probe.k };
}
