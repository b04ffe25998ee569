import fc from 'fast-check';
import { type Profile, parseProfile } from '../../../sim/profile/profile.ts';

/** Repeats of which all took so long. */
export function repeats(median: number): Profile['gemm'][number]['seconds'] {
  return { median, p05: median, p95: median, n: 5 };
}

/** The document of a small valid profile with round figures, for tests to change. */
export function smallProfile() {
  return {
    schema: 'splitpoint-profile/1',
    provenance: {
      backend: 'cpu',
      device: 'a small device',
      driver: '',
      blas: 'a library 1.0',
      versions: { splitpoint: '0.1.0' },
      date: '2026-01-01T00:00:00Z',
      commit: 'abcdef',
      host: 'a small host',
      source: { kind: 'measured' },
    },
    memory: { gpuBytes: 8e9, hostBytes: 64e9 },
    multiprocessors: 0,
    // To the device 2 us and 1 GB/s, back 3 us and 0.5 GB/s.
    copies: [1e3, 1e5, 1e7].flatMap((bytes) => [
      { direction: 'h2d', pinned: true, bytes, seconds: repeats(2e-6 + bytes / 1e9) },
      { direction: 'd2h', pinned: true, bytes, seconds: repeats(3e-6 + bytes / 0.5e9) },
    ]),
    duplex: [{ bytes: 1e7, h2d: repeats(2 * (2e-6 + 1e7 / 1e9)), d2h: repeats(1.25 * (3e-6 + 1e7 / 0.5e9)) }],
    gemm: [1, 64, 4096].flatMap((m) =>
      [64, 256].map((n) => ({ type: 'fp16', m, n, k: 64, batch: 1, seconds: repeats(1e-5 + (2 * m * n * 64) / 1e11) })),
    ),
    attention: [16, 1024].map((context) => ({
      type: 'fp16',
      batch: 2,
      heads: 4,
      kvHeads: 4,
      headDim: 16,
      context,
      seconds: repeats(5e-6 + context * 1e-8),
    })),
    hostAttention: [16, 1024].map((context) => ({
      type: 'fp16',
      batch: 2,
      heads: 4,
      kvHeads: 4,
      headDim: 16,
      context,
      threads: 2,
      seconds: repeats(2e-5 + context * 1e-7),
    })),
    elementwise: [256, 65536].map((bytes) => ({
      kind: 'norm',
      type: 'fp16',
      bytes,
      seconds: repeats(4e-6 + bytes / 1e10),
    })),
    interference: [
      {
        copy: 'h2d',
        copyBytes: 1e7,
        kernel: 'gemm',
        shape: { m: 64, n: 64, k: 64 },
        copyAlone: repeats(8e-3),
        copyUnderKernel: repeats(1e-2),
        kernelAlone: repeats(9e-4),
        kernelUnderCopy: repeats(1e-3),
      },
    ],
    hostMemory: [{ threads: 2, bytesPerSecond: 5e9 }],
  };
}

const seconds = fc.double({ min: -7, max: -3, noNaN: true }).map((exponent) => repeats(10 ** exponent));
const type = fc.constantFrom('fp32' as const, 'fp16' as const, 'bf16' as const);
const size = fc.integer({ min: 2, max: 300 });
const attention = { type, batch: fc.nat(3), heads: size, kvHeads: size, headDim: size, context: size, seconds };
const keyOf = (point: object) => JSON.stringify({ ...point, seconds: 0 });

function points<T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }, minLength = 0): fc.Arbitrary<T[]> {
  return fc.uniqueArray(fc.record(model) as fc.Arbitrary<T>, { selector: keyOf, minLength, maxLength: 8 });
}

const attentionPoints = points(attention).map((all) =>
  all.map((point) => ({ ...point, batch: point.batch + 1, heads: point.heads * point.kvHeads })),
);

/** Profiles whose times follow no law at all: noise, gaps, whole lists missing. */
export const anyProfile: fc.Arbitrary<Profile> = fc
  .record({
    h2d: points({ bytes: fc.integer({ min: 1000, max: 1e6 }), seconds }, 1),
    d2h: points({ bytes: fc.integer({ min: 1000, max: 1e6 }), seconds }, 1),
    duplex: seconds,
    duplexBack: seconds,
    gemm: points({ type, m: size, n: size, k: size, batch: fc.constantFrom(1, 2), seconds }, 1),
    attention: attentionPoints,
    hostAttention: attentionPoints.map((all) => all.map((point) => ({ ...point, threads: 2 }))),
    elementwise: points({
      kind: fc.constantFrom('norm', 'rope', 'activation', 'append', 'embed', 'merge'),
      type,
      bytes: size,
      seconds,
    }),
    launch: fc.option(seconds, { nil: undefined }),
    interference: points({
      copy: fc.constantFrom('h2d', 'd2h'),
      copyBytes: size,
      kernel: fc.constantFrom('gemm', 'attention', 'host-attention'),
      shape: fc.constant({}),
      copyAlone: seconds,
      copyUnderKernel: seconds,
      kernelAlone: seconds,
      kernelUnderCopy: seconds,
    }),
    hostMemory: fc.constantFrom([], [{ threads: 1, bytesPerSecond: 1e9 }]),
  })
  .map(({ h2d, d2h, duplex, duplexBack, launch, ...lists }) =>
    parseProfile({
      ...smallProfile(),
      ...lists,
      ...(launch && { launch }),
      copies: [
        ...h2d.map((point) => ({ direction: 'h2d', pinned: true, ...point })),
        ...d2h.map((point) => ({ direction: 'd2h', pinned: true, ...point })),
      ].filter(
        (point, i, all) => all.findIndex((o) => o.direction === point.direction && o.bytes === point.bytes) === i,
      ),
      duplex: [{ bytes: h2d[0].bytes, h2d: duplex, d2h: duplexBack }],
    }),
  );
