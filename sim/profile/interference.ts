import type { Coupling } from '../engine/tasks.ts';
import { Resource } from '../machine/resources.ts';
import type { Profile, Repeats } from './profile.ts';

/** Which resource stands for what a kernel of an interference measurement occupies. */
const OCCUPIES = {
  gemm: Resource.gpuArithmetic,
  attention: Resource.hbm,
  'host-attention': Resource.hostCores,
} as const;

/**
 * How copies and kernels slow each other: times alone over times together, points weighted by their times. Pairs that were not measured
 * together do not slow each other.
 */
export function couplingsOf(profile: Profile): Coupling[] {
  const couplings: Coupling[] = [];
  const duplex = profile.duplex.flatMap(({ bytes, h2d, d2h }) => {
    const [upAlone, downAlone] = [aloneSeconds(profile, 'h2d', bytes), aloneSeconds(profile, 'd2h', bytes)];
    return upAlone && downAlone ? [{ upAlone, downAlone, h2d, d2h }] : [];
  });
  add(Resource.h2d, Resource.d2h, [
    duplex.map(({ upAlone, h2d }) => [upAlone, h2d]),
    duplex.map(({ downAlone, d2h }) => [downAlone, d2h]),
  ]);
  for (const copy of ['h2d', 'd2h'] as const) {
    for (const kernel of ['gemm', 'attention', 'host-attention'] as const) {
      const points = profile.interference.filter((point) => point.copy === copy && point.kernel === kernel);
      add(Resource[copy], OCCUPIES[kernel], [
        points.map(({ copyAlone, copyUnderKernel }) => [copyAlone, copyUnderKernel]),
        points.map(({ kernelAlone, kernelUnderCopy }) => [kernelAlone, kernelUnderCopy]),
      ]);
    }
  }
  return couplings;

  function add(a: number, b: number, [ofA, ofB]: [alone: Repeats, together: Repeats][][]): void {
    const [factorA, factorB] = [factorOf(ofA), factorOf(ofB)];
    if (factorA < 1 || factorB < 1) couplings.push({ a, b, factorA, factorB });
  }
}

function aloneSeconds({ copies }: Profile, direction: 'h2d' | 'd2h', bytes: number): Repeats | undefined {
  return copies.find((point) => point.pinned && point.direction === direction && point.bytes === bytes)?.seconds;
}

/** 1 where nothing was measured. */
function factorOf(points: readonly [alone: Repeats, together: Repeats][]): number {
  const alone = points.reduce((sum, [seconds]) => sum + seconds.median, 0);
  const together = points.reduce((sum, [, seconds]) => sum + seconds.median, 0);
  return alone < together ? alone / together : 1;
}
