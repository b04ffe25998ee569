import type { Machine } from '../machine/machine.ts';
import { Resource } from '../machine/resources.ts';
import { InputError } from '../scenario/input-error.ts';
import { bestRates } from './best-rates.ts';
import { couplingsOf } from './interference.ts';
import type { Profile } from './profile.ts';

/**
 * A measured machine. Its figures are the best rates in the profile, at efficiency 1, so that what is computed from them bounds what the
 * profile prices; memory rates count what copies and kernels (or the host's cores) draw at once.
 *
 * What need not be measured: without attention or element-wise kernels, those take their bytes at the best rate of GPU memory (plus the gap
 * between kernels); without host attention, it takes its bytes at the best rate of host memory, or else at that of the link.
 *
 * @throws InputError where the profile lacks pinned copies in either direction or GEMMs
 */
export function machineFromProfile(profile: Profile): Machine {
  const { provenance, memory, copies, gemm, launch, multiprocessors } = profile;
  for (const direction of ['h2d', 'd2h'] as const) {
    if (!copies.some((point) => point.pinned && point.direction === direction))
      throw new InputError({ path: 'copies', found: `no pinned ${direction} copy`, expected: 'at least one' });
  }
  if (gemm.length === 0) throw new InputError({ path: 'gemm', found: 'no point', expected: 'at least one' });

  const rates = bestRates(profile);
  const smallest = copies
    .filter(({ pinned, direction }) => pinned && direction === 'h2d')
    .reduce((least, point) => (point.bytes < least.bytes ? point : least));
  const duplex = couplingsOf(profile).find(({ a, b }) => a === Resource.h2d && b === Resource.d2h);
  return {
    name: provenance.device,
    measured: true,
    gpu: {
      name: provenance.device,
      memoryBytes: memory.gpuBytes,
      matmulFlopsPerSecond: rates.flops,
      matmulFp32FlopsPerSecond: rates.flopsFp32,
      memoryBytesPerSecond: rates.kernelBytes + rates.h2d + rates.d2h,
      launchSeconds: launch?.median ?? 0,
      multiprocessors,
    },
    host: {
      name: provenance.host,
      memoryBytes: memory.hostBytes,
      memoryBytesPerSecond: rates.hostBytes + rates.h2d + rates.d2h,
      matmulFlopsPerSecond: rates.hostFlops,
    },
    link: {
      name: provenance.linkBytesPerSecond === undefined ? 'measured' : 'paced',
      h2dBytesPerSecond: rates.h2d,
      d2hBytesPerSecond: rates.d2h,
      latencySeconds: Math.max(0, smallest.seconds.median - smallest.bytes / rates.h2d),
      duplex: duplex ? Math.sqrt(duplex.factorA * duplex.factorB) : 1,
    },
    efficiency: { matmul: 1, gpuMemory: 1, hostMemory: 1 },
    profile,
  };
}
