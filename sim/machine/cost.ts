import type { CostTable } from '../engine/tasks.ts';
import { Kind, PRECISIONS, type Precision, type WorkTable } from '../plan/plan.ts';
import { profiledCosts } from '../profile/cost.ts';
import { gemmShapeEfficiency } from './gemm-shape.ts';
import type { Machine } from './machine.ts';
import { RESOURCES, Resource } from './resources.ts';

/** Costs of each row of work on a machine: from its profile where it has one, else by roofline. */
export function costTable(works: WorkTable, machine: Machine): CostTable {
  return machine.profile ? profiledCosts(works, machine, machine.profile) : rooflineCosts(works, machine);
}

/**
 * Costs of each row of work by roofline: the longest of its demands on the resources it uses, each at its nominal rate times the
 * machine's stated efficiency. GEMMs also lose to their shape, unless `efficiency.matmul` is 1.
 */
function rooflineCosts(works: WorkTable, machine: Machine): CostTable {
  const resources = RESOURCES.length;
  const { gpu, host, link, efficiency } = machine;
  const latencySeconds = new Float64Array(works.count);
  const seconds = new Float64Array(works.count);
  const share = new Float64Array(works.count * resources);
  const hbm = gpu.memoryBytesPerSecond * efficiency.gpuMemory;
  const dram = host.memoryBytesPerSecond * efficiency.hostMemory;

  for (let w = 0; w < works.count; w++) {
    const at = w * resources;
    const bytes = works.bytes[w];
    const flops = works.flops[w];
    switch (works.kind[w]) {
      case Kind.copyH2d:
      case Kind.copyD2h: {
        const up = works.kind[w] === Kind.copyH2d;
        latencySeconds[w] = link.latencySeconds;
        share[at + (up ? Resource.h2d : Resource.d2h)] = bytes / (up ? link.h2dBytesPerSecond : link.d2hBytesPerSecond);
        share[at + Resource.hostDram] = bytes / dram;
        share[at + Resource.hbm] = bytes / hbm;
        break;
      }
      case Kind.hostAttend:
        share[at + Resource.hostDram] = bytes / dram;
        share[at + Resource.hostCores] = flops / host.matmulFlopsPerSecond;
        break;
      case Kind.stepEnd:
        break;
      default:
        latencySeconds[w] = gpu.launchSeconds;
        share[at + Resource.gpuArithmetic] = flops / gpuFlopsPerSecond(works, w, machine);
        share[at + Resource.hbm] = bytes / hbm;
    }
    // So far each share is the time the resource alone would need; the longest is the work's time.
    let longest = 0;
    for (let r = 0; r < resources; r++) longest = Math.max(longest, share[at + r]);
    seconds[w] = longest;
    if (longest > 0) for (let r = 0; r < resources; r++) share[at + r] /= longest;
  }
  return {
    resources,
    latencySeconds,
    seconds,
    share,
    capacity: new Float64Array(resources).fill(1),
    couplings: [{ a: Resource.h2d, b: Resource.d2h, factorA: link.duplex, factorB: link.duplex }],
  };
}

/** The GPU's reached matrix throughput, FLOP/s, GEMM shapes aside. */
export function matmulFlopsPerSecond({ gpu, efficiency }: Machine, precision: Precision): number {
  return (precision === 'fp32' ? gpu.matmulFp32FlopsPerSecond : gpu.matmulFlopsPerSecond) * efficiency.matmul;
}

function gpuFlopsPerSecond(works: WorkTable, w: number, machine: Machine): number {
  const rate = matmulFlopsPerSecond(machine, PRECISIONS[works.dtype[w]]);
  if (works.kind[w] !== Kind.gemm || machine.efficiency.matmul === 1) return rate;
  const { multiprocessors } = machine.gpu;
  return rate * gemmShapeEfficiency(works.m[w], works.n[w], works.k[w], works.batch[w], multiprocessors);
}
