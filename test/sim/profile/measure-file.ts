const summary = (median: number) => ({ median, p05: 0.9 * median, p95: 1.1 * median, n: 9, samples: [median, median] });

/** A file as measure.py writes it on a CUDA machine, with laws for times: see below. NaN is null in it. */
export function measureFile() {
  const copies = [4096, 1 << 20, 1 << 28].flatMap((bytes) => [
    { kind: 'h2d', pinned: true, bytes, backToBack: 4, seconds: summary(2e-6 + bytes / 25e9) },
    { kind: 'd2h', pinned: true, bytes, backToBack: 4, seconds: summary(2e-6 + bytes / 20e9) },
    { kind: 'h2d-single', pinned: true, bytes, backToBack: 1, seconds: summary(9e-6 + bytes / 25e9) },
    { kind: 'h2d-while-d2h', pinned: true, bytes, backToBack: 4, seconds: summary((2e-6 + bytes / 25e9) / 0.8) },
    // Runs on alone when the other has ended.
    {
      kind: 'd2h-while-h2d',
      pinned: true,
      bytes,
      backToBack: 4,
      seconds: summary(2e-6 + bytes / 20e9 + 0.4 * ((2e-6 + bytes / 25e9) / 0.8)),
    },
    ...(bytes === 1 << 20 ? [{ kind: 'h2d', pinned: false, bytes, backToBack: 1, seconds: summary(2e-4) }] : []),
  ]);
  const product = (m: number, n: number, k: number) => 2e-6 + (2 * m * n * k) / 250e12 + (2 * n * k) / 1.5e12;
  const gemm = [
    ...[256, 8192].map((m) => ({ use: 'recompute', m, n: 4096, k: 4096 })),
    ...[256, 8192].map((m) => ({ use: 'recompute', m, n: 1024, k: 4096 })),
    ...[1, 64].flatMap((m) => [
      { use: 'decode', m, n: 4096, k: 4096 },
      { use: 'decode', m, n: 16384, k: 4096 },
      { use: 'decode', m, n: 4096, k: 16384 },
      { use: 'decode', m, n: 1024, k: 4096 },
    ]),
  ].flatMap((row) =>
    ['float16', 'bfloat16'].map((dtype) => ({ ...row, dtype, seconds: summary(product(row.m, row.n, row.k)) })),
  );
  const attend = (batch: number, context: number) => 1e-5 + (4 * batch * 32 * context * 128) / 1e12;
  const attention = [512, 1024].flatMap((context) =>
    ['sdpa', 'matmul'].map((how) => ({
      how,
      batch: 32,
      heads: 32,
      kvHeads: 32,
      headDim: 128,
      context,
      seconds: summary((how === 'sdpa' ? 0.5 : 1) * attend(32, context)),
    })),
  );
  const block = (batch: number, context: number) =>
    5 * product(batch, 4096, 4096) -
    product(batch, 4096, 4096) +
    product(batch, 16384, 4096) +
    product(batch, 4096, 16384) +
    attend(batch, context) +
    8e-5;
  return {
    schema: 2,
    dry: false,
    provenance: {
      date: '2026-11-01T10:00:00Z',
      torch: '2.9.0',
      python: '3.12.1',
      script: 'ab'.repeat(32),
      cpu: 'CPU(s): 16\nModel name:     A Processor 9000\nSocket(s): 1',
      memory: 'MemTotal:       131072000 kB',
      gpu: 'NVIDIA A100-PCIE-40GB',
      sms: 108,
      gpuMemory: 42e9,
      l2: null,
      cuda: '13.0',
      smi: 'name, driver_version\nNVIDIA A100-PCIE-40GB, 580.65.06, 4, 4',
      topology: 'a\nb',
    },
    sections: {
      copies,
      gemm,
      attention: [...attention, { how: 'sdpa', batch: 1, heads: 32, kvHeads: 8, context: 512, error: 'no kernel' }],
      interference: [
        {
          copyBytes: 1 << 28,
          m: 8192,
          n: 4096,
          k: 4096,
          gemms: 8,
          copyAlone: summary(10e-3),
          gemmsAlone: summary(12e-3),
          // The copy runs at 0.8 all along; the products at 0.9 for those 12.5 ms, then alone.
          copyUnderGemm: summary(12.5e-3),
          gemmsUnderCopy: summary(12.5e-3 + (12e-3 - 0.9 * 12.5e-3)),
        },
      ],
      host: [
        {
          kind: 'host-read',
          bytes: 1 << 30,
          threads: 8,
          underCopies: 0,
          copiesEndedFirst: false,
          seconds: summary(0.02),
        },
        {
          kind: 'host-attention-fp32',
          bytes: 8 * 32 * 32 * 512 * 128,
          threads: 8,
          underCopies: 0,
          copiesEndedFirst: false,
          seconds: summary(0.03),
        },
        {
          kind: 'host-attention-fp32',
          bytes: 8 * 32 * 32 * 512 * 128,
          threads: 8,
          underCopies: 12,
          copiesEndedFirst: false,
          seconds: summary(0.05),
          copyBytes: 1 << 28,
          copySeconds: summary((2e-6 + 2 ** 28 / 25e9) / 0.9),
        },
        {
          kind: 'host-read',
          bytes: 1 << 30,
          threads: 8,
          underCopies: 12,
          copiesEndedFirst: false,
          seconds: { median: null, p05: null, p95: null, n: 6 },
        },
      ],
      decode: [
        { raw: 'block', shape: 'opt-6.7b', layers: 4, batch: 32, context: 512, seconds: summary(block(32, 512)) },
        { raw: 'block', shape: 'opt-6.7b', layers: 4, batch: 32, context: 1024, seconds: summary(block(32, 1024)) },
        {
          shape: 'opt-6.7b',
          layers: 4,
          hidden: 4096,
          heads: 32,
          kvHeads: 32,
          ffn: 16384,
          gated: false,
          batch: 32,
          context: 512,
          schedule: 'resident',
          recomputed: 0,
          seconds: summary(1e-3),
          agreement: {},
        },
        { shape: 'opt-6.7b', batch: 32, context: 512, schedule: 'kvpr-row', recomputed: 256, timeline: [] },
      ],
      huggingface: [{ error: 'not installed' }],
    },
  };
}
