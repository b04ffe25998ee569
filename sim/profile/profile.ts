import { z } from 'zod';
import { PRECISIONS } from '../plan/plan.ts';
import { firstProblem } from '../scenario/explain.ts';
import { InputError } from '../scenario/input-error.ts';
import { nameSchema } from '../scenario/name.ts';
import { quoted } from '../scenario/path.ts';

// A description that starts with a small letter completes the sentence "expected …": errors are written from it.

export const PROFILE_SCHEMA = 'splitpoint-profile/1';

/** One plain sentence for each list of measurements; files carry a copy, so that they explain themselves. */
export const PROFILE_LISTS = {
  copies: 'One copy between host and GPU memory after another of the same size; seconds of each.',
  duplex: 'Copies in both directions at once, of equal size; seconds of a copy of either direction.',
  gemm: 'Matrix products of m × k by k × n, batch of them together; seconds of all, in a chain of such operations.',
  attention:
    'Attention of one new token of each sequence to a context in GPU memory; seconds, in a chain of such operations.',
  hostAttention: 'The same attention by the cores of the host to a context in host memory; seconds.',
  elementwise:
    'Kernels that memory limits; bytes are those read and written in GPU memory; seconds, in a chain of such kernels.',
  launch:
    'Gap between the end of a kernel and the start of the next of the same stream; contained in the seconds of the lists above.',
  handover:
    'Gap between the end of a copy that takes one or two milliseconds and the start of a tiny kernel of another stream that waits for it.',
  interference: 'A copy and a kernel, each alone and each while the other runs; seconds.',
  hostMemory: 'Bytes per second that threads of the host read from its memory, the best of some passes.',
} as const;

export const COPY_DIRECTIONS = ['h2d', 'd2h'] as const;
export const ELEMENTWISE_KINDS = ['norm', 'rope', 'activation', 'append', 'embed', 'merge'] as const;
const INTERFERING_KERNELS = ['gemm', 'attention', 'host-attention'] as const;

const positive = z.number().positive();
const count = z.int().min(1);
/** Printed to terminals and into pictures. */
const text = z
  .string()
  .max(1000)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'text without control characters');
const type = z.enum(PRECISIONS);
const direction = z.enum(COPY_DIRECTIONS);

/** Repeats of one measurement, seconds each. */
const repeats = z
  .strictObject({
    median: positive,
    p05: positive,
    p95: positive,
    n: count,
    samples: z.array(positive).optional(),
  })
  .refine(({ median, p05, p95 }) => p05 <= median && median <= p95, {
    message: 'found p05, median and p95 out of order, expected p05 ≤ median ≤ p95',
  })
  .describe('the median, p05, p95 and n of repeated measurements in seconds');

const gemmShape = { type, m: count, n: count, k: count, batch: count };
const attentionShape = { type, batch: count, heads: count, kvHeads: count, headDim: count, context: count };

const copyPoint = z.strictObject({ direction, pinned: z.boolean(), bytes: count, seconds: repeats });
const duplexPoint = z.strictObject({ bytes: count, h2d: repeats, d2h: repeats });
const gemmPoint = z.strictObject({ ...gemmShape, seconds: repeats });
const attentionPoint = z.strictObject({ ...attentionShape, seconds: repeats });
const hostAttentionPoint = z.strictObject({ ...attentionShape, threads: count, seconds: repeats });
const elementwisePoint = z.strictObject({ kind: z.enum(ELEMENTWISE_KINDS), type, bytes: count, seconds: repeats });
const interferencePoint = z.strictObject({
  copy: direction,
  copyBytes: count,
  kernel: z.enum(INTERFERING_KERNELS),
  /** Extents of the kernel, as its own list has them. */
  shape: z.record(z.string().max(40), z.union([count, type])).describe('a mapping of the kernel’s extents'),
  copyAlone: repeats,
  copyUnderKernel: repeats,
  kernelAlone: repeats,
  kernelUnderCopy: repeats,
});
const hostMemoryPoint = z.strictObject({ threads: count, bytesPerSecond: positive });

/** Who measured what where, with which software. */
const provenance = z.strictObject({
  /** Which of the executor's devices ran, or what else made the figures. */
  backend: z.enum(['cpu', 'cuda', 'torch-cuda', 'torch-cpu']),
  device: nameSchema,
  driver: text,
  blas: text,
  versions: z.record(z.string().max(100), text).describe('a mapping of names to versions'),
  /** ISO 8601. */
  date: text,
  commit: text,
  /** The computer around the GPU. */
  host: nameSchema,
  /** Rate per direction at which the link was paced; left out: as fast as it is. */
  linkBytesPerSecond: positive.optional(),
  source: z.strictObject({
    kind: z.enum(['measured', 'nvbandwidth', 'measure.py']),
    file: text.optional(),
    sha256: text.optional(),
    /** What the reader should know: rows left out, figures derived. */
    notes: z.array(text).optional(),
  }),
  /** True where the sizes were tiny, to try the program: no measurement. */
  dry: z.boolean().optional(),
});

/** The file that holds a machine's measured costs. Sizes in bytes, times in seconds. */
export const profileSchema = z.strictObject({
  schema: z.literal(PROFILE_SCHEMA),
  provenance,
  memory: z.strictObject({ gpuBytes: count, hostBytes: count }),
  /** 0 where the GPU is none. */
  multiprocessors: z.int().min(0),
  /** Sentences on the lists below. */
  descriptions: z.record(z.string().max(100), text).optional(),
  copies: z.array(copyPoint),
  duplex: z.array(duplexPoint).default([]),
  gemm: z.array(gemmPoint),
  attention: z.array(attentionPoint).default([]),
  hostAttention: z.array(hostAttentionPoint).default([]),
  elementwise: z.array(elementwisePoint).default([]),
  launch: repeats.optional(),
  handover: repeats.optional(),
  interference: z.array(interferencePoint).default([]),
  hostMemory: z.array(hostMemoryPoint).default([]),
});

export type Profile = z.output<typeof profileSchema>;
export type Repeats = z.output<typeof repeats>;
export type CopyPoint = z.output<typeof copyPoint>;
export type GemmPoint = z.output<typeof gemmPoint>;
export type AttentionPoint = z.output<typeof attentionPoint>;
export type HostAttentionPoint = z.output<typeof hostAttentionPoint>;
export type ElementwisePoint = z.output<typeof elementwisePoint>;
export type InterferencePoint = z.output<typeof interferencePoint>;

let jsonSchema: Record<string, unknown> | undefined;

/** JSON Schema (draft 2020-12) of a profile, made from the schema that validates it. */
export function profileJsonSchema(): Record<string, unknown> {
  jsonSchema ??= { title: 'splitpoint profile', ...z.toJSONSchema(profileSchema, { io: 'input' }) };
  return jsonSchema;
}

/** Keys that tell the points of a list apart. */
const KEYS = {
  copies: ['direction', 'pinned', 'bytes'],
  duplex: ['bytes'],
  gemm: ['type', 'm', 'n', 'k', 'batch'],
  attention: ['type', 'batch', 'heads', 'kvHeads', 'headDim', 'context'],
  hostAttention: ['type', 'batch', 'heads', 'kvHeads', 'headDim', 'context', 'threads'],
  elementwise: ['kind', 'type', 'bytes'],
  hostMemory: ['threads'],
} as const satisfies Partial<Record<keyof Profile, readonly string[]>>;

/**
 * Checks the document of a profile.
 * @throws InputError with the path of what means nothing, what was found and what was expected
 */
export function parseProfile(document: unknown): Profile {
  const { success, data, error } = profileSchema.safeParse(document);
  if (!success) throw firstProblem(error.issues, document, profileJsonSchema());
  for (const [list, keys] of Object.entries(KEYS)) refuseTwins(list, data[list as keyof typeof KEYS], keys);
  return data;
}

/** Which of two measurements of one thing counts is not for us to guess. */
function refuseTwins(list: string, points: readonly Record<string, unknown>[], keys: readonly string[]): void {
  const seen = new Map<string, number>();
  points.forEach((point, i) => {
    const key = JSON.stringify(keys.map((name) => point[name]));
    const twin = seen.get(key);
    if (twin !== undefined) {
      const found = `the same ${keys.join(', ')} as in ${list}[${twin}]: ${quoted(keys.map((name) => point[name]))}`;
      throw new InputError({ path: `${list}[${i}]`, found, expected: 'each point once' });
    }
    seen.set(key, i);
  });
}
