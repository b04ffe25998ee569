import { z } from 'zod';

const positive = z.number().positive();
const count = z.int().min(1);

const repeats = z.object({
  median: positive,
  p05: positive,
  p95: positive,
  n: count,
  samples: z.array(positive).optional(),
});

export const TYPES = { float16: 'fp16', bfloat16: 'bf16', float32: 'fp32' } as const;

/** The rows of each section that hold a measurement; others are left out and counted. */
export const ROWS = {
  copies: z.object({
    kind: z.enum(['h2d', 'd2h', 'h2d-single', 'h2d-while-d2h', 'd2h-while-h2d']),
    pinned: z.boolean(),
    bytes: count,
    seconds: repeats,
  }),
  gemm: z.object({
    use: z.enum(['recompute', 'decode']),
    dtype: z.enum(['float16', 'bfloat16', 'float32']),
    m: count,
    n: count,
    k: count,
    seconds: repeats,
  }),
  attention: z.object({
    how: z.enum(['sdpa', 'matmul']),
    batch: count,
    heads: count,
    kvHeads: count,
    headDim: count,
    context: count,
    seconds: repeats,
  }),
  interference: z.object({
    copyBytes: count,
    m: count,
    n: count,
    k: count,
    copyAlone: repeats,
    gemmsAlone: repeats,
    copyUnderGemm: repeats,
    gemmsUnderCopy: repeats,
  }),
  host: z.object({
    kind: z.enum(['host-read', 'host-attention-fp32']),
    bytes: count,
    threads: count,
    underCopies: z.int().min(0),
    seconds: repeats,
    copyBytes: count.optional(),
    copySeconds: repeats.optional(),
  }),
} as const;

/** A decoder layer that was run as a whole, and the shape that its name means. */
export const blockRow = z.object({
  raw: z.literal('block'),
  shape: z.string(),
  batch: count,
  context: count,
  seconds: repeats,
});
export const shapeRow = z.object({ shape: z.string(), hidden: count, heads: count, kvHeads: count, ffn: count });
export type ShapeRow = z.output<typeof shapeRow>;

export type MeasureRow<Section extends keyof typeof ROWS> = z.output<(typeof ROWS)[Section]>;

/** What measure.py writes; its own schema grows, so that other keys are left aside. */
export const fileSchema = z.looseObject({
  dry: z.boolean().optional(),
  provenance: z.looseObject({
    date: z.string().optional(),
    torch: z.string().optional(),
    python: z.string().optional(),
    script: z.string().optional(),
    cpu: z.string().optional(),
    memory: z.string(),
    gpu: z.string().optional(),
    sms: z.int().min(0).optional(),
    gpuMemory: count.optional(),
    cuda: z.string().nullish(),
    smi: z.string().optional(),
  }),
  sections: z.record(z.string(), z.array(z.unknown())).describe('a mapping of sections to lists of rows'),
});

/** The rows that a schema takes. */
export function valid<T>(rows: readonly unknown[], schema: z.ZodType<T>): T[] {
  return rows.flatMap((row) => {
    const { success, data } = schema.safeParse(row);
    return success ? [data] : [];
  });
}
