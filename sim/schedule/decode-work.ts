import type { ModelShape } from '../model/shape.ts';
import { NONE } from '../plan/builder.ts';
import { Kind, type WorkTable } from '../plan/plan.ts';
import { WorkBuilder } from '../plan/work-builder.ts';
import type { DecodeRequest } from './decode-request.ts';
import type { LayerGroups } from './layer-groups.ts';
import { type DenseWork, LayerWork, type WeightBytes, weightBytes } from './layer-work.ts';
import { type ElementBytes, type Extents, elementBytes, extentsOf, partialResultBytes } from './sizes.ts';
import { type TokenRange, tokenRanges } from './token-ranges.ts';

/** Rows of work of one step in one layer group; NONE where the split leaves nothing to do. */
export interface ContextWork {
  copyActivation: number;
  copyKv: number;
  recompute: number;
  recomputedKeys: number[];
  attend: number;
  hostAttend: number;
}

/** The work of a decode and the sizes it follows from. */
export interface DecodeWork {
  table: WorkTable;
  extent: Extents;
  size: ElementBytes;
  weights: WeightBytes[];
  /** Bytes of one token of every sequence in one layer. */
  tokenKv: number;
  tokenActivation: number;
  dense: DenseWork;
  stepEnd: number;
  /** Copies of offloaded weights by layer, of a new token, and of host attention's query and result. */
  copies: { kvProjection: number[]; rest: number[]; storeKv: number; storeX: number; query: number; result: number };
  /** [step][layer group] */
  ranges: TokenRange[][];
  context: ContextWork[][];
}

/** All rows of work of some decode steps. Splits that leave out the same things give the same rows in the same order. */
export function decodeWork(request: DecodeRequest, layers: LayerGroups): DecodeWork {
  const { shape, batch, microBatches, precision, placement, splits } = request;
  const builder = new WorkBuilder();
  const extent = extentsOf(shape);
  const size = elementBytes(precision);
  const work = new LayerWork(builder, shape, batch, precision);
  const weights = weightBytes(shape, batch * microBatches, size.weights);
  const tokenKv = batch * extent.kv * size.kv;
  const tokenActivation = batch * shape.hidden * size.activations;
  const ranges = tokenRanges(layers.groups, request);
  const perLayer = (part: (bytes: WeightBytes) => number) =>
    placement.weights === 'host' ? alikeCopies(work, weights.map(part)) : [];
  const sizes = { tokenKv, tokenActivation, planes: extent.planes };
  return {
    extent,
    size,
    weights,
    tokenKv,
    tokenActivation,
    ranges,
    dense: work.dense(),
    stepEnd: work.stepEnd(),
    copies: {
      kvProjection: perLayer((bytes) => bytes.kvProjection),
      rest: perLayer((bytes) => bytes.restUsed),
      storeKv: work.copy(Kind.copyD2h, extent.planes, tokenKv / extent.planes),
      storeX: work.copy(Kind.copyD2h, 1, tokenActivation),
      query: work.copy(Kind.copyD2h, 1, batch * extent.query * size.activations),
      result: work.copy(Kind.copyH2d, 1, batch * partialResultBytes(shape, extent, size)),
    },
    context: ranges.map((step, t) =>
      step.map((range, g) => contextWork(work, shape, sizes, range, splits[t][g].hostAttended)),
    ),
    // Last: the rows above are in it.
    table: builder.build(),
  };
}

function contextWork(
  work: LayerWork,
  shape: ModelShape,
  { tokenKv, tokenActivation, planes }: { tokenKv: number; tokenActivation: number; planes: number },
  range: TokenRange,
  hostAttended: number,
): ContextWork {
  const recomputed = range.recomputedEnd - range.residentEnd;
  const transferred = range.transferredEnd - range.recomputedEnd;
  const recomputedKeys: number[] = [];
  if (recomputed > 0) {
    if (shape.qkNorm || shape.mla) recomputedKeys.push(work.recomputedKeys(Kind.norm, recomputed));
    if (shape.rotary) recomputedKeys.push(work.recomputedKeys(Kind.rope, recomputed));
  }
  return {
    copyActivation: recomputed > 0 ? work.copy(Kind.copyH2d, 1, recomputed * tokenActivation) : NONE,
    copyKv: transferred > 0 ? work.copy(Kind.copyH2d, planes, (transferred * tokenKv) / planes) : NONE,
    recompute: recomputed > 0 ? work.recompute(recomputed) : NONE,
    recomputedKeys,
    attend: work.attend(range.context - range.from - hostAttended + 1),
    hostAttend: hostAttended > 0 ? work.hostAttend(hostAttended) : NONE,
  };
}

/** One row per layer; layers with equally many bytes share one. */
function alikeCopies(work: LayerWork, bytes: readonly number[]): number[] {
  const rows = new Map<number, number>();
  return bytes.map((count) => {
    const row = rows.get(count) ?? work.copy(Kind.copyH2d, 1, count);
    rows.set(count, row);
    return row;
  });
}
