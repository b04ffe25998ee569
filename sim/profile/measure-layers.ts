import { PRECISIONS, type Precision } from '../plan/plan.ts';
import { AttentionTimes, GemmTimes } from './kernel-times.ts';
import { blockRow, type ShapeRow, shapeRow, valid } from './measure-rows.ts';
import type { AttentionPoint, ElementwisePoint, GemmPoint, Repeats } from './profile.ts';
import { times } from './repeats.ts';

/** Element-wise kernels of one of its layers: two norms, the new token's K and V, the activation function. */
const KERNELS = 4;

/** What whole layers take beyond their products and attention, in equal parts. */
export function elementwisePoints(
  rows: readonly unknown[],
  gemm: readonly GemmPoint[],
  attention: readonly AttentionPoint[],
  notes: string[],
): ElementwisePoint[] {
  if (gemm.length === 0 || attention.length === 0) return [];
  const shapes = new Map(valid(rows, shapeRow).map((row) => [row.shape, row]));
  const gemmTimes = new GemmTimes(gemm);
  const attentionTimes = new AttentionTimes(attention);
  const points = new Map<string, ElementwisePoint[]>();
  let without = 0;
  const blocks = valid(rows, blockRow);
  for (const { shape: name, batch, context, seconds } of blocks) {
    const shape = shapes.get(name);
    const rest = shape && seconds.median - productSeconds(shape, batch, context, gemmTimes, attentionTimes);
    if (!rest || rest <= 0) {
      without++;
      continue;
    }
    const kvDim = (shape.hidden / shape.heads) * shape.kvHeads;
    const moved = { norm: 2 * shape.hidden, activation: 2 * shape.ffn, append: 6 * kvDim };
    for (const [kind, elements] of Object.entries(moved) as [keyof typeof moved, number][]) {
      const point = { kind, type: FP16, bytes: 2 * batch * elements, seconds: part(seconds, rest / KERNELS) };
      const key = `${kind} ${point.bytes}`;
      points.set(key, [...(points.get(key) ?? []), point]);
    }
  }
  if (blocks.length > 0) {
    notes.push(`element-wise kernels are what layers take beyond products and attention, in ${KERNELS} equal parts`);
    if (without > 0) notes.push(`${without} of ${blocks.length} layers left nothing for element-wise kernels`);
  }
  return [...points.values()].map((same) => {
    same.sort((a, b) => a.seconds.median - b.seconds.median);
    return same[same.length >> 1];
  });
}

const FP16: Precision = 'fp16';

function productSeconds(
  { hidden, heads, kvHeads, ffn }: ShapeRow,
  batch: number,
  context: number,
  gemm: GemmTimes,
  attention: AttentionTimes,
): number {
  const type = PRECISIONS.indexOf(FP16);
  const headDim = hidden / heads;
  const kvDim = headDim * kvHeads;
  return (
    gemm.seconds(type, batch, hidden + 2 * kvDim, hidden, 1) +
    gemm.seconds(type, batch, hidden, hidden, 1) +
    gemm.seconds(type, batch, ffn, hidden, 1) +
    gemm.seconds(type, batch, hidden, ffn, 1) +
    attention.seconds(type, batch * heads, headDim, context, 4 * batch * kvDim * context)
  );
}

/** A part of measured seconds, spread as they are. */
function part(of: Repeats, median: number): Repeats {
  const { samples: _, ...figures } = times(of, median / of.median);
  return figures;
}
