import type { CostTable, Coupling } from '../engine/tasks.ts';
import type { Machine } from '../machine/machine.ts';
import { RESOURCES, Resource } from '../machine/resources.ts';
import { bytesPerElement, Kind, PRECISIONS, type WorkTable } from '../plan/plan.ts';
import { type BestRates, bestRates } from './best-rates.ts';
import { Curve } from './curve.ts';
import { couplingsOf } from './interference.ts';
import { AttentionTimes, type ElementwiseKind, ElementwiseTimes, GemmTimes } from './kernel-times.ts';
import type { Profile } from './profile.ts';

const FP32 = PRECISIONS.indexOf('fp32');

const ELEMENTWISE: Partial<Record<number, ElementwiseKind>> = {
  [Kind.norm]: 'norm',
  [Kind.rope]: 'rope',
  [Kind.activation]: 'activation',
  [Kind.append]: 'append',
  [Kind.embed]: 'embed',
  [Kind.merge]: 'merge',
};

/** What each resource is occupied by: measured times hold all that work needs of the others, and couplings what it takes from them. */
function resourceOf(kind: number): number {
  switch (kind) {
    case Kind.copyH2d:
      return Resource.h2d;
    case Kind.copyD2h:
      return Resource.d2h;
    case Kind.gemm:
      return Resource.gpuArithmetic;
    case Kind.hostAttend:
      return Resource.hostCores;
    default:
      return Resource.hbm;
  }
}

/**
 * Costs of each row of work on a measured machine, never less than the roofline of the machine's figures. All of a row's time is in
 * `seconds`: a copy's fixed cost and the gap between kernels are in the measurements.
 */
export function profiledCosts(works: WorkTable, machine: Machine, profile: Profile): CostTable {
  const times = timesOf(profile);
  const resources = RESOURCES.length;
  const seconds = new Float64Array(works.count);
  const share = new Float64Array(works.count * resources);
  for (let w = 0; w < works.count; w++) {
    if (works.kind[w] === Kind.stepEnd) continue;
    seconds[w] = Math.max(times.seconds(works, w), leastSeconds(works, w, machine));
    share[w * resources + resourceOf(works.kind[w])] = 1;
  }
  return {
    resources,
    latencySeconds: new Float64Array(works.count),
    seconds,
    share,
    capacity: new Float64Array(resources).fill(1),
    couplings: times.couplings,
  };
}

/** Seconds at the machine's figures: mixed precisions and estimates from other shapes must not be faster. */
function leastSeconds(works: WorkTable, w: number, { gpu, host, link }: Machine): number {
  const bytes = works.bytes[w];
  switch (works.kind[w]) {
    case Kind.copyH2d:
      return bytes / link.h2dBytesPerSecond;
    case Kind.copyD2h:
      return bytes / link.d2hBytesPerSecond;
    case Kind.hostAttend:
      return Math.max(bytes / host.memoryBytesPerSecond, works.flops[w] / host.matmulFlopsPerSecond);
    default: {
      const flopsPerSecond = works.dtype[w] === FP32 ? gpu.matmulFp32FlopsPerSecond : gpu.matmulFlopsPerSecond;
      return Math.max(bytes / gpu.memoryBytesPerSecond, works.flops[w] / flopsPerSecond);
    }
  }
}

/** A search prices thousands of tables by one profile. */
const known = new WeakMap<Profile, ProfileTimes>();

function timesOf(profile: Profile): ProfileTimes {
  const times = known.get(profile) ?? new ProfileTimes(profile);
  known.set(profile, times);
  return times;
}

/** Seconds of work as a profile tells them. */
class ProfileTimes {
  readonly couplings: readonly Coupling[];
  readonly #rates: BestRates;
  readonly #launchSeconds: number;
  readonly #h2d: Curve;
  readonly #d2h: Curve;
  readonly #gemm: GemmTimes;
  readonly #attention: AttentionTimes | undefined;
  readonly #hostAttention: AttentionTimes | undefined;
  readonly #elementwise: ElementwiseTimes | undefined;

  constructor(profile: Profile) {
    const { attention, elementwise } = profile;
    this.couplings = couplingsOf(profile);
    this.#rates = bestRates(profile);
    this.#launchSeconds = profile.launch?.median ?? 0;
    this.#h2d = copyCurve(profile, 'h2d');
    this.#d2h = copyCurve(profile, 'd2h');
    this.#gemm = new GemmTimes(profile.gemm);
    this.#attention = attention.length > 0 ? new AttentionTimes(attention) : undefined;
    const onHost = mostThreads(profile);
    this.#hostAttention = onHost.length > 0 ? new AttentionTimes(onHost) : undefined;
    this.#elementwise = elementwise.length > 0 ? new ElementwiseTimes(elementwise) : undefined;
  }

  seconds(works: WorkTable, w: number): number {
    const { kind, dtype, m, n, k, batch, flops, bytes } = works;
    switch (kind[w]) {
      case Kind.copyH2d:
        return this.#h2d.at(bytes[w]);
      case Kind.copyD2h:
        return this.#d2h.at(bytes[w]);
      case Kind.gemm:
        return this.#gemm.seconds(dtype[w], m[w], n[w], k[w], batch[w]);
      case Kind.attend: {
        if (!this.#attention) return this.#launchSeconds + bytes[w] / this.#rates.kernelBytes;
        // Queries and outputs are in the bytes, too: each of their elements takes part in two FLOPs a token.
        const kvBytes = bytes[w] - (flops[w] / (2 * k[w])) * bytesPerElement(PRECISIONS[dtype[w]]);
        return this.#attention.seconds(dtype[w], m[w], n[w], k[w], kvBytes);
      }
      case Kind.hostAttend:
        if (!this.#hostAttention) return bytes[w] / this.#rates.hostBytes;
        return this.#hostAttention.seconds(dtype[w], m[w], n[w], k[w], bytes[w]);
      default:
        if (!this.#elementwise) return this.#launchSeconds + bytes[w] / this.#rates.kernelBytes;
        return this.#elementwise.seconds(dtype[w], ELEMENTWISE[kind[w]]!, bytes[w]);
    }
  }
}

function copyCurve({ copies }: Profile, direction: 'h2d' | 'd2h'): Curve {
  const points = copies.filter((point) => point.pinned && point.direction === direction);
  return new Curve(points.map(({ bytes, seconds }) => [bytes, seconds.median]));
}

/** Host attention with the most threads that were measured: runs use all cores that they have. */
function mostThreads({ hostAttention }: Profile): Profile['hostAttention'] {
  const most = hostAttention.reduce((threads, point) => Math.max(threads, point.threads), 0);
  return hostAttention.filter(({ threads }) => threads === most);
}
