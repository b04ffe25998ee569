/** A small valid document for tests to change. */
export const VALID = {
  model: 'opt-6.7b',
  machine: 'a100-pcie-40gb',
  workload: { batch: 64, promptTokens: 512, generatedTokens: 32 },
};

export const VALID_TEXT = `model: opt-6.7b
machine: a100-pcie-40gb
workload: { batch: 64, promptTokens: 512, generatedTokens: 32 }
`;

export const IDEAL_MACHINE = {
  name: 'ideal',
  gpu: { memory: '40 GiB', matmul: '100 TFLOP/s', memoryBandwidth: 'inf', launch: '0 us' },
  host: { memory: '512 GiB', memoryBandwidth: 'inf', matmul: '2 TFLOP/s' },
  link: { h2d: '25 GB/s', d2h: '25 GB/s', latency: '0 us', duplex: 1 },
  efficiency: { matmul: 1, gpuMemory: 1, hostMemory: 1 },
};

export const INLINE_SHAPE = {
  layers: 4,
  hidden: 1024,
  heads: 16,
  kvHeads: 16,
  headDim: 64,
  ffn: 4096,
  gated: false,
  vocab: 50_000,
};
