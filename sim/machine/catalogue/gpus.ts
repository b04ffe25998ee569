import { assumption, datasheet, type Figure, type GpuEntry, measured } from '../figure.ts';

interface Card {
  title: string;
  /** NVIDIA counts device memory in units of 2^30 bytes; with a reading of nvidia-smi where error correction takes a part. */
  memory: string | Figure;
  /** Dense fp16 tensor throughput with fp32 accumulation, TFLOP/s. */
  fp16: number;
  /** Dense TF32 tensor throughput, TFLOP/s; plain fp32 before Ampere. */
  fp32: number;
  /** Memory bandwidth, GB/s. */
  bandwidth: number;
  multiprocessors: number;
  source: string;
  /** Figures that the source does not state, with the reason for the value. */
  assumed?: Partial<Record<'fp16' | 'fp32' | 'multiprocessors', string>>;
}

const LAUNCH = assumption('4 us', 'gap before a kernel on the device, 2 to 5 us in common practice; measure it');

const MATMUL_EFFICIENCY = assumption(
  '0.72',
  'large cuBLAS GEMMs reach 65 to 80 % of the tensor peak, which is quoted at boost clock',
);

const MEMORY_EFFICIENCY = assumption('0.88', 'streaming kernels read at 85 to 92 % of the nominal bandwidth');

/** GPUs. Throughput is dense, without structured sparsity. */
export const GPUS: Record<string, GpuEntry> = {
  'v100-pcie-16gb': card({
    title: 'NVIDIA V100 PCIe 16 GB',
    memory: '16 GiB',
    fp16: 112,
    fp32: 14,
    bandwidth: 900,
    multiprocessors: 80,
    source: 'NVIDIA V100 Tensor Core GPU datasheet',
  }),
  'v100-sxm-16gb': card({
    title: 'NVIDIA V100 SXM2 16 GB',
    memory: '16 GiB',
    fp16: 125,
    fp32: 15.7,
    bandwidth: 900,
    multiprocessors: 80,
    source: 'NVIDIA V100 Tensor Core GPU datasheet',
  }),
  'v100-sxm-32gb': card({
    title: 'NVIDIA V100 SXM2 32 GB',
    memory: '32 GiB',
    fp16: 125,
    fp32: 15.7,
    bandwidth: 900,
    multiprocessors: 80,
    source: 'NVIDIA V100 Tensor Core GPU datasheet',
  }),
  t4: card({
    title: 'NVIDIA T4',
    memory: measured('15360 MiB', 'nvidia-smi: 16 GB less error correction'),
    fp16: 65,
    fp32: 8.1,
    bandwidth: 320,
    multiprocessors: 40,
    source: 'NVIDIA Turing GPU Architecture whitepaper, Tesla T4',
  }),
  'a100-pcie-40gb': card({
    title: 'NVIDIA A100 PCIe 40 GB',
    memory: '40 GiB',
    fp16: 312,
    fp32: 156,
    bandwidth: 1555,
    multiprocessors: 108,
    source: 'NVIDIA A100 Tensor Core GPU datasheet',
  }),
  'a100-pcie-80gb': card({
    title: 'NVIDIA A100 PCIe 80 GB',
    memory: '80 GiB',
    fp16: 312,
    fp32: 156,
    bandwidth: 1935,
    multiprocessors: 108,
    source: 'NVIDIA A100 Tensor Core GPU datasheet',
  }),
  'a100-sxm-40gb': card({
    title: 'NVIDIA A100 SXM4 40 GB',
    memory: '40 GiB',
    fp16: 312,
    fp32: 156,
    bandwidth: 1555,
    multiprocessors: 108,
    source: 'NVIDIA A100 Tensor Core GPU datasheet',
  }),
  'a100-sxm-80gb': card({
    title: 'NVIDIA A100 SXM4 80 GB',
    memory: '80 GiB',
    fp16: 312,
    fp32: 156,
    bandwidth: 2039,
    multiprocessors: 108,
    source: 'NVIDIA A100 Tensor Core GPU datasheet',
  }),
  a30: card({
    title: 'NVIDIA A30',
    memory: '24 GiB',
    fp16: 165,
    fp32: 82,
    bandwidth: 933,
    multiprocessors: 56,
    source: 'NVIDIA A30 Tensor Core GPU datasheet',
  }),
  a40: card({
    title: 'NVIDIA A40',
    memory: measured('46068 MiB', 'nvidia-smi: 48 GB less error correction'),
    fp16: 149.7,
    fp32: 74.8,
    bandwidth: 696,
    multiprocessors: 84,
    source: 'NVIDIA A40 GPU datasheet',
  }),
  a10: card({
    title: 'NVIDIA A10',
    memory: measured('23028 MiB', 'nvidia-smi: 24 GB less error correction'),
    fp16: 125,
    fp32: 62.5,
    bandwidth: 600,
    multiprocessors: 72,
    source: 'NVIDIA A10 Tensor Core GPU datasheet',
  }),
  a10g: card({
    title: 'NVIDIA A10G (AWS g5)',
    memory: measured('23028 MiB', 'nvidia-smi: 24 GB less error correction'),
    fp16: 70,
    fp32: 35,
    bandwidth: 600,
    multiprocessors: 80,
    source: 'NVIDIA A10G datasheet (AWS)',
    assumed: {
      fp16: 'NVIDIA A10G datasheet (AWS) as quoted second-hand',
      fp32: 'half of the fp16 rate, as on every Ampere GPU',
      multiprocessors: 'as reported by the device in user reports',
    },
  }),
  a6000: card({
    title: 'NVIDIA RTX A6000',
    memory: '48 GiB',
    fp16: 154.8,
    fp32: 77.4,
    bandwidth: 768,
    multiprocessors: 84,
    source: 'NVIDIA Ampere GA102 GPU Architecture whitepaper, RTX A6000',
  }),
  'rtx-2080-ti': card({
    title: 'NVIDIA GeForce RTX 2080 Ti',
    memory: '11 GiB',
    fp16: 53.8,
    fp32: 13.4,
    bandwidth: 616,
    multiprocessors: 68,
    source: 'NVIDIA Turing GPU Architecture whitepaper, RTX 2080 Ti',
  }),
  'rtx-3080-10gb': card({
    title: 'NVIDIA GeForce RTX 3080 10 GB',
    memory: '10 GiB',
    fp16: 59.5,
    fp32: 29.8,
    bandwidth: 760,
    multiprocessors: 68,
    source: 'NVIDIA Ampere GA102 GPU Architecture whitepaper, RTX 3080',
  }),
  'rtx-3090': card({
    title: 'NVIDIA GeForce RTX 3090',
    memory: '24 GiB',
    fp16: 71,
    fp32: 35.6,
    bandwidth: 936,
    multiprocessors: 82,
    source: 'NVIDIA Ampere GA102 GPU Architecture whitepaper, RTX 3090',
  }),
  'rtx-3090-ti': card({
    title: 'NVIDIA GeForce RTX 3090 Ti',
    memory: '24 GiB',
    fp16: 80,
    fp32: 40,
    bandwidth: 1008,
    multiprocessors: 84,
    source: 'NVIDIA Ada GPU Architecture whitepaper, appendix A, RTX 3090 Ti',
  }),
  l4: card({
    title: 'NVIDIA L4',
    memory: measured('23034 MiB', 'nvidia-smi: 24 GB less error correction'),
    fp16: 121,
    fp32: 60,
    bandwidth: 300,
    multiprocessors: 58,
    source: 'NVIDIA L4 Tensor Core GPU datasheet',
    assumed: { multiprocessors: '7424 CUDA cores at 128 each' },
  }),
  l40: card({
    title: 'NVIDIA L40',
    memory: measured('46068 MiB', 'nvidia-smi of the alike L40S: 48 GB less error correction'),
    fp16: 181,
    fp32: 90.5,
    bandwidth: 864,
    multiprocessors: 142,
    source: 'NVIDIA L40 GPU datasheet',
  }),
  l40s: card({
    title: 'NVIDIA L40S',
    memory: measured('46068 MiB', 'nvidia-smi: 48 GB less error correction'),
    fp16: 362,
    fp32: 183,
    bandwidth: 864,
    multiprocessors: 142,
    source: 'NVIDIA L40S GPU datasheet',
  }),
  'rtx-6000-ada': card({
    title: 'NVIDIA RTX 6000 Ada Generation',
    memory: '48 GiB',
    fp16: 364.2,
    fp32: 182.1,
    bandwidth: 960,
    multiprocessors: 142,
    source: 'NVIDIA Ada GPU Architecture whitepaper for professional GPUs, RTX 6000 Ada',
  }),
  'rtx-4060-ti-16gb': card({
    title: 'NVIDIA GeForce RTX 4060 Ti 16 GB',
    memory: '16 GiB',
    fp16: 44.1,
    fp32: 22.1,
    bandwidth: 288,
    multiprocessors: 34,
    source: 'NVIDIA GeForce RTX 4060 Ti product page',
    assumed: {
      fp16: 'twice the fp32 rate of 22.06 TFLOP/s, as on the other GeForce RTX 40 cards',
      fp32: 'TF32 runs at the fp32 rate, as on the other GeForce RTX 40 cards',
    },
  }),
  'rtx-4070': card({
    title: 'NVIDIA GeForce RTX 4070',
    memory: '12 GiB',
    fp16: 58.3,
    fp32: 29.1,
    bandwidth: 504,
    multiprocessors: 46,
    source: 'NVIDIA GeForce RTX 4070 product page',
    assumed: {
      fp16: 'twice the fp32 rate of 29.15 TFLOP/s, as on the other GeForce RTX 40 cards',
      fp32: 'TF32 runs at the fp32 rate, as on the other GeForce RTX 40 cards',
    },
  }),
  'rtx-4080': card({
    title: 'NVIDIA GeForce RTX 4080',
    memory: '16 GiB',
    fp16: 97.5,
    fp32: 48.7,
    bandwidth: 716.8,
    multiprocessors: 76,
    source: 'NVIDIA Ada GPU Architecture whitepaper, RTX 4080',
  }),
  'rtx-4090': card({
    title: 'NVIDIA GeForce RTX 4090',
    memory: '24 GiB',
    fp16: 165.2,
    fp32: 82.6,
    bandwidth: 1008,
    multiprocessors: 128,
    source: 'NVIDIA Ada GPU Architecture whitepaper, RTX 4090',
  }),
  'h100-pcie': card({
    title: 'NVIDIA H100 PCIe 80 GB',
    memory: '80 GiB',
    fp16: 756,
    fp32: 378,
    bandwidth: 2039,
    multiprocessors: 114,
    source: 'NVIDIA H100 PCIe product brief and Hopper Architecture whitepaper (datasheet: 1513 TFLOP/s with sparsity)',
  }),
  'h100-sxm': card({
    title: 'NVIDIA H100 SXM5 80 GB',
    memory: '80 GiB',
    fp16: 989.4,
    fp32: 494.7,
    bandwidth: 3350,
    multiprocessors: 132,
    source: 'NVIDIA H100 Tensor Core GPU datasheet and Hopper Architecture whitepaper',
  }),
  'h100-nvl': card({
    title: 'NVIDIA H100 NVL 94 GB',
    memory: '94 GiB',
    fp16: 835.5,
    fp32: 417.5,
    bandwidth: 3900,
    multiprocessors: 132,
    source: 'NVIDIA H100 Tensor Core GPU datasheet',
    assumed: {
      fp16: 'half of the 1671 TFLOP/s with sparsity in the current datasheet; the first one said 1979',
      fp32: 'half of the 835 TFLOP/s with sparsity in the current datasheet',
    },
  }),
  'h200-sxm': card({
    title: 'NVIDIA H200 SXM5 141 GB',
    memory: measured('143771 MiB', 'nvidia-smi'),
    fp16: 989.5,
    fp32: 494.5,
    bandwidth: 4800,
    multiprocessors: 132,
    source: 'NVIDIA H200 Tensor Core GPU datasheet',
  }),
  'h200-nvl': card({
    title: 'NVIDIA H200 NVL 141 GB',
    memory: measured('143771 MiB', 'nvidia-smi of the alike H200'),
    fp16: 835.5,
    fp32: 417.5,
    bandwidth: 4800,
    multiprocessors: 132,
    source: 'NVIDIA H200 Tensor Core GPU datasheet',
    assumed: {
      fp16: 'half of the 1671 TFLOP/s with sparsity in the datasheet, read second-hand',
      fp32: 'half of the 836 TFLOP/s with sparsity in the datasheet, read second-hand',
    },
  }),
  'gh200-96gb': card({
    title: 'NVIDIA GH200, Hopper GPU with 96 GB HBM3',
    memory: measured('97871 MiB', 'nvidia-smi'),
    fp16: 990,
    fp32: 494,
    bandwidth: 4000,
    multiprocessors: 132,
    source: 'NVIDIA GH200 Grace Hopper Superchip datasheet',
  }),
  'gh200-144gb': card({
    title: 'NVIDIA GH200, Hopper GPU with 144 GB HBM3e',
    memory: '144 GiB',
    fp16: 990,
    fp32: 494,
    bandwidth: 4900,
    multiprocessors: 132,
    source: 'NVIDIA GH200 Grace Hopper Superchip datasheet',
  }),
  b200: card({
    title: 'NVIDIA B200 (HGX)',
    memory: '180 GiB',
    fp16: 2250,
    fp32: 1100,
    bandwidth: 8000,
    multiprocessors: 148,
    source: 'NVIDIA HGX B200 datasheet and Blackwell Architecture technical brief (1000 W)',
    assumed: { multiprocessors: 'as reported by the device in user reports' },
  }),
  'rtx-5080': card({
    title: 'NVIDIA GeForce RTX 5080',
    memory: '16 GiB',
    fp16: 112.6,
    fp32: 56.3,
    bandwidth: 960,
    multiprocessors: 84,
    source: 'NVIDIA RTX Blackwell GPU Architecture whitepaper, RTX 5080',
  }),
  'rtx-5090': card({
    title: 'NVIDIA GeForce RTX 5090',
    memory: '32 GiB',
    fp16: 209.5,
    fp32: 104.8,
    bandwidth: 1792,
    multiprocessors: 170,
    source: 'NVIDIA RTX Blackwell GPU Architecture whitepaper, RTX 5090',
  }),
  'rtx-pro-6000': card({
    title: 'NVIDIA RTX PRO 6000 Blackwell Workstation Edition',
    memory: '96 GiB',
    fp16: 503.8,
    fp32: 251.9,
    bandwidth: 1792,
    multiprocessors: 188,
    source: 'NVIDIA RTX PRO 6000 Blackwell datasheet',
    assumed: {
      fp16: 'four times the fp32 rate of 125.95 TFLOP/s, as on other professional cards; agrees with third-party tables',
      fp32: 'half of the fp16 rate',
    },
  }),
};

function card(spec: Card): GpuEntry {
  const stated = (key: keyof NonNullable<Card['assumed']>, value: string): Figure => {
    const reason = spec.assumed?.[key];
    return reason ? assumption(value, reason) : datasheet(value, spec.source);
  };
  return {
    title: spec.title,
    memory: typeof spec.memory === 'string' ? datasheet(spec.memory, spec.source) : spec.memory,
    matmul: stated('fp16', `${spec.fp16} TFLOP/s`),
    matmulFp32: stated('fp32', `${spec.fp32} TFLOP/s`),
    memoryBandwidth: datasheet(`${spec.bandwidth} GB/s`, spec.source),
    multiprocessors: stated('multiprocessors', String(spec.multiprocessors)),
    launch: LAUNCH,
    matmulEfficiency: MATMUL_EFFICIENCY,
    memoryEfficiency: MEMORY_EFFICIENCY,
  };
}
