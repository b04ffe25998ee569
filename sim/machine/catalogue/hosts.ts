import { quantityText } from '../../units/quantity.ts';
import { assumption, datasheet, type Figure, type HostEntry } from '../figure.ts';

interface Socket {
  title: string;
  cores: number;
  baseGigahertz: number;
  /** fp32 operations that a core's vector units do per cycle (two per fused multiply-add). */
  flopsPerCycle: number;
  channels: number;
  /** Memory kind and transfers, 10^6/s: DDR4-3200 has 8-byte channels at 3200. */
  dram: readonly [kind: 'DDR4' | 'DDR5', megatransfersPerSecond: number];
  memory: string;
  source: string;
  /** A part made for one cloud, without a public specification. */
  unpublished?: true;
}

const AVX2_FMA = 32;
const AVX512_FMA = 64;

const MEMORY_EFFICIENCY = assumption(
  '0.72',
  'attention streams KV with few writes, at about what STREAM reaches with all channels filled (70 to 80 %)',
);

/** The share of peak arithmetic left where half of the vector instructions widen fp16 to fp32 and issue is not perfect. */
const ATTENTION_SHARE = 0.4;

/** Hosts: the one socket next to the GPU, because memory behind the other socket is about 1.5 times slower. */
export const HOSTS: Record<string, HostEntry> = {
  'epyc-7742': socket({
    title: 'AMD EPYC 7742, 64 cores (Rome)',
    cores: 64,
    baseGigahertz: 2.25,
    flopsPerCycle: AVX2_FMA,
    channels: 8,
    dram: ['DDR4', 3200],
    memory: '512 GiB',
    source: 'AMD EPYC 7742 specification',
  }),
  'epyc-7763': socket({
    title: 'AMD EPYC 7763, 64 cores (Milan)',
    cores: 64,
    baseGigahertz: 2.45,
    flopsPerCycle: AVX2_FMA,
    channels: 8,
    dram: ['DDR4', 3200],
    memory: '512 GiB',
    source: 'AMD EPYC 7763 specification',
  }),
  'epyc-7543': socket({
    title: 'AMD EPYC 7543, 32 cores (Milan)',
    cores: 32,
    baseGigahertz: 2.8,
    flopsPerCycle: AVX2_FMA,
    channels: 8,
    dram: ['DDR4', 3200],
    memory: '512 GiB',
    source: 'AMD EPYC 7543 specification',
  }),
  'epyc-7r32': socket({
    title: 'AMD EPYC 7R32, 48 cores (Rome, AWS g5)',
    cores: 48,
    baseGigahertz: 2.8,
    flopsPerCycle: AVX2_FMA,
    channels: 8,
    dram: ['DDR4', 3200],
    memory: '384 GiB',
    source: 'cores and clock as reported by the processor, memory as EPYC 7002',
    unpublished: true,
  }),
  'epyc-7r13': socket({
    title: 'AMD EPYC 7R13, 48 cores (Milan, AWS g6)',
    cores: 48,
    baseGigahertz: 2.65,
    flopsPerCycle: AVX2_FMA,
    channels: 8,
    dram: ['DDR4', 3200],
    memory: '384 GiB',
    source: 'cores and clock as reported by the processor, memory as EPYC 7003',
    unpublished: true,
  }),
  'epyc-9354': socket({
    title: 'AMD EPYC 9354, 32 cores (Genoa)',
    cores: 32,
    baseGigahertz: 3.25,
    flopsPerCycle: AVX2_FMA,
    channels: 12,
    dram: ['DDR5', 4800],
    memory: '768 GiB',
    source: 'AMD EPYC 9354 specification',
  }),
  'epyc-9554': socket({
    title: 'AMD EPYC 9554, 64 cores (Genoa)',
    cores: 64,
    baseGigahertz: 3.1,
    flopsPerCycle: AVX2_FMA,
    channels: 12,
    dram: ['DDR5', 4800],
    memory: '768 GiB',
    source: 'AMD EPYC 9554 specification',
  }),
  'epyc-9654': socket({
    title: 'AMD EPYC 9654, 96 cores (Genoa)',
    cores: 96,
    baseGigahertz: 2.4,
    flopsPerCycle: AVX2_FMA,
    channels: 12,
    dram: ['DDR5', 4800],
    memory: '768 GiB',
    source: 'AMD EPYC 9654 specification',
  }),
  'xeon-e5-2698-v4': socket({
    title: 'Intel Xeon E5-2698 v4, 20 cores (Broadwell, DGX-1)',
    cores: 20,
    baseGigahertz: 2.2,
    flopsPerCycle: AVX2_FMA,
    channels: 4,
    dram: ['DDR4', 2400],
    memory: '256 GiB',
    source: 'Intel Xeon E5-2698 v4 specification',
  }),
  'xeon-8259cl': socket({
    title: 'Intel Xeon Platinum 8259CL, 24 cores (Cascade Lake, AWS g4dn)',
    cores: 24,
    baseGigahertz: 2.5,
    flopsPerCycle: AVX512_FMA,
    channels: 6,
    dram: ['DDR4', 2933],
    memory: '192 GiB',
    source: 'cores and clock as reported by the processor, memory as Cascade Lake',
    unpublished: true,
  }),
  'xeon-8380': socket({
    title: 'Intel Xeon Platinum 8380, 40 cores (Ice Lake)',
    cores: 40,
    baseGigahertz: 2.3,
    flopsPerCycle: AVX512_FMA,
    channels: 8,
    dram: ['DDR4', 3200],
    memory: '512 GiB',
    source: 'Intel Xeon Platinum 8380 specification',
  }),
  'xeon-8480c': socket({
    title: 'Intel Xeon Platinum 8480C, 56 cores (Sapphire Rapids, DGX H100)',
    cores: 56,
    baseGigahertz: 2,
    flopsPerCycle: AVX512_FMA,
    channels: 8,
    dram: ['DDR5', 4800],
    memory: '1 TiB',
    source: 'NVIDIA DGX H100 user guide; Intel Xeon Platinum 8480+ specification',
  }),
  'xeon-8570': socket({
    title: 'Intel Xeon Platinum 8570, 56 cores (Emerald Rapids, DGX B200)',
    cores: 56,
    baseGigahertz: 2.1,
    flopsPerCycle: AVX512_FMA,
    channels: 8,
    dram: ['DDR5', 5600],
    memory: '1 TiB',
    source: 'NVIDIA DGX B200 user guide; Intel Xeon Platinum 8570 specification',
  }),
  grace: {
    title: 'NVIDIA Grace, 72 Neoverse V2 cores',
    memory: datasheet('480 GB', 'NVIDIA GH200 Grace Hopper Superchip datasheet: LPDDR5X, up to 480 GB'),
    memoryBandwidth: datasheet('512 GB/s', 'NVIDIA GH200 Grace Hopper Superchip datasheet: LPDDR5X, up to 512 GB/s'),
    matmul: attentionArithmetic({ cores: 72, baseGigahertz: 3.1, flopsPerCycle: 32 }),
    memoryEfficiency: assumption(
      '0.85',
      'NVIDIA’s Grace tuning guide expects 410 GB/s or more from STREAM; 486 GB/s published (arXiv 2407.07850)',
    ),
  },
  'threadripper-pro-5995wx': socket({
    title: 'AMD Ryzen Threadripper PRO 5995WX, 64 cores',
    cores: 64,
    baseGigahertz: 2.7,
    flopsPerCycle: AVX2_FMA,
    channels: 8,
    dram: ['DDR4', 3200],
    memory: '256 GiB',
    source: 'AMD Ryzen Threadripper PRO 5995WX specification',
  }),
  'threadripper-pro-7985wx': socket({
    title: 'AMD Ryzen Threadripper PRO 7985WX, 64 cores',
    cores: 64,
    baseGigahertz: 3.2,
    flopsPerCycle: AVX2_FMA,
    channels: 8,
    dram: ['DDR5', 5200],
    memory: '256 GiB',
    source: 'AMD Ryzen Threadripper PRO 7985WX specification',
  }),
  'ryzen-9-5950x': socket({
    title: 'AMD Ryzen 9 5950X, 16 cores',
    cores: 16,
    baseGigahertz: 3.4,
    flopsPerCycle: AVX2_FMA,
    channels: 2,
    dram: ['DDR4', 3200],
    memory: '64 GiB',
    source: 'AMD Ryzen 9 5950X specification',
  }),
  'ryzen-9-7950x': socket({
    title: 'AMD Ryzen 9 7950X, 16 cores',
    cores: 16,
    baseGigahertz: 4.5,
    flopsPerCycle: AVX2_FMA,
    channels: 2,
    dram: ['DDR5', 5200],
    memory: '64 GiB',
    source: 'AMD Ryzen 9 7950X specification',
  }),
  'ryzen-9-9950x': socket({
    title: 'AMD Ryzen 9 9950X, 16 cores',
    cores: 16,
    baseGigahertz: 4.3,
    flopsPerCycle: AVX512_FMA,
    channels: 2,
    dram: ['DDR5', 5600],
    memory: '96 GiB',
    source: 'AMD Ryzen 9 9950X specification',
  }),
  'core-i9-9900k': socket({
    title: 'Intel Core i9-9900K, 8 cores',
    cores: 8,
    baseGigahertz: 3.6,
    flopsPerCycle: AVX2_FMA,
    channels: 2,
    dram: ['DDR4', 2666],
    memory: '64 GiB',
    source: 'Intel Core i9-9900K specification',
  }),
  'core-i9-13900k': socket({
    title: 'Intel Core i9-13900K, 8 performance cores (efficiency cores not counted)',
    cores: 8,
    baseGigahertz: 3,
    flopsPerCycle: AVX2_FMA,
    channels: 2,
    dram: ['DDR5', 5600],
    memory: '64 GiB',
    source: 'Intel Core i9-13900K specification',
  }),
};

function socket({
  title,
  channels,
  dram: [kind, megatransfers],
  memory,
  source,
  unpublished,
  ...cores
}: Socket): HostEntry {
  const bandwidth = quantityText(channels * megatransfers * 8e6, 'bytesPerSecond');
  const stated = unpublished ? assumption : datasheet;
  return {
    title,
    memory: assumption(memory, 'a usual fitting of this socket'),
    memoryBandwidth: stated(
      bandwidth,
      `${channels} channels of ${kind}-${megatransfers} × 8 bytes = ${bandwidth}; ${source}`,
    ),
    matmul: attentionArithmetic(cores),
    memoryEfficiency: MEMORY_EFFICIENCY,
  };
}

function attentionArithmetic(socket: Pick<Socket, 'cores' | 'baseGigahertz' | 'flopsPerCycle'>): Figure {
  const { cores, baseGigahertz, flopsPerCycle } = socket;
  const gigaflops = Math.round(cores * baseGigahertz * flopsPerCycle * ATTENTION_SHARE);
  return assumption(
    quantityText(gigaflops * 1e9, 'flopsPerSecond'),
    `${cores} cores × ${baseGigahertz} GHz base × ${flopsPerCycle} fp32 FLOP per cycle × ${ATTENTION_SHARE}: half of the vector instructions widen fp16 to fp32`,
  );
}
