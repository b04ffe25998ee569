import type { Link } from './machine.ts';

export type PcieGeneration = 1 | 2 | 3 | 4 | 5 | 6;
export type PcieLanes = 1 | 2 | 4 | 8 | 16;

interface Generation {
  /** Transfers per lane and direction, 1/s; one bit each. */
  transfersPerSecond: number;
  encoding: { name: string; payload: number; total: number };
  /** Share of the encoded rate that a large copy from pinned memory reaches. */
  efficiency: number;
  /** Where the efficiency comes from. */
  basis: 'measured' | 'assumption';
  source: string;
}

const BITS_8B_10B = { name: '8b/10b', payload: 8, total: 10 };
const BITS_128B_130B = { name: '128b/130b', payload: 128, total: 130 };
const FLIT = { name: 'PAM4 FLIT, 242 of 256 bytes', payload: 242, total: 256 };

/** Encodings: PCI-SIG base specifications 1.0 to 6.0. */
const GENERATIONS: Record<PcieGeneration, Generation> = {
  1: {
    transfersPerSecond: 2.5e9,
    encoding: BITS_8B_10B,
    efficiency: 0.75,
    basis: 'assumption',
    source: 'as generation 2',
  },
  2: {
    transfersPerSecond: 5e9,
    encoding: BITS_8B_10B,
    efficiency: 0.75,
    basis: 'measured',
    source: 'CUDA bandwidthTest, pinned, x16: about 6.0 GB/s',
  },
  3: {
    transfersPerSecond: 8e9,
    encoding: BITS_128B_130B,
    efficiency: 0.8,
    basis: 'measured',
    source: 'nvbandwidth (its README) and bandwidthTest, pinned, x16: 12 to 13 GB/s',
  },
  4: {
    transfersPerSecond: 16e9,
    encoding: BITS_128B_130B,
    efficiency: 0.81,
    basis: 'measured',
    source: 'nvbandwidth in published studies, pinned, x16: 25 to 26 GB/s',
  },
  5: {
    transfersPerSecond: 32e9,
    encoding: BITS_128B_130B,
    efficiency: 0.875,
    basis: 'measured',
    source: 'nvbandwidth in published studies (NVIDIA technical blog: 55.6 GB/s), pinned, x16: 54 to 56 GB/s',
  },
  6: {
    transfersPerSecond: 64e9,
    encoding: FLIT,
    efficiency: 0.875,
    basis: 'assumption',
    source: 'as generation 5; no published measurement known',
  },
};

/** Fixed cost of one copy, seconds: 8 us, an assumption (see `PCIE_LATENCY_SOURCE`). */
const LATENCY_SECONDS = 8e-6;
export const PCIE_LATENCY_SOURCE =
  'fixed cost of one copy from pinned memory, some microseconds to set up and to signal its end; one call of cudaMemcpyAsync alone costs 5 to 7 us (arXiv 2602.21548)';

/** Factor on each direction while both run. */
const DUPLEX = 0.82;
export const PCIE_DUPLEX_SOURCE = 'each direction 18 to 20 % slower while both run: Pensieve (EuroSys 2025)';

/** What a PCIe link is made of. */
export interface PcieSlot {
  generation: PcieGeneration;
  lanes: PcieLanes;
}

/** Raw rate per direction after the line encoding, bytes/s: 0.985 GB/s per lane in generation 3, 1.969 in 4, 3.938 in 5. */
export function pcieRawBytesPerSecond({ generation, lanes }: PcieSlot): number {
  const { transfersPerSecond, encoding } = GENERATIONS[generation];
  return ((transfersPerSecond / 8) * encoding.payload * lanes) / encoding.total;
}

/** A PCIe link as pinned copies reach it: raw rate times protocol efficiency, rounded to 10 MB/s. */
export function pcieLink(slot: PcieSlot): Link {
  const reached = pcieRawBytesPerSecond(slot) * GENERATIONS[slot.generation].efficiency;
  const bytesPerSecond = Math.round(reached / 1e7) * 1e7;
  return {
    name: `pcie${slot.generation}-x${slot.lanes}`,
    h2dBytesPerSecond: bytesPerSecond,
    d2hBytesPerSecond: bytesPerSecond,
    latencySeconds: LATENCY_SECONDS,
    duplex: DUPLEX,
  };
}

/** How the rate of a PCIe link was derived, for people. */
export function pcieRateSource(slot: PcieSlot): { basis: 'measured' | 'assumption'; source: string } {
  const { transfersPerSecond, encoding, efficiency, basis, source } = GENERATIONS[slot.generation];
  const raw = (pcieRawBytesPerSecond(slot) / 1e9).toFixed(1);
  return {
    basis,
    source: `${transfersPerSecond / 1e9} GT/s × ${slot.lanes} lanes, ${encoding.name} = ${raw} GB/s raw, × protocol efficiency ${efficiency} (${source})`,
  };
}
