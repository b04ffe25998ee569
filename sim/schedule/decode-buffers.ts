import type { PlanBuilder } from '../plan/builder.ts';
import type { DecodeRequest } from './decode-request.ts';
import type { DecodeWork } from './decode-work.ts';
import type { LayerGroups } from './layer-groups.ts';
import { endWeightBytes, type WeightBytes } from './layer-work.ts';
import { ffnInnerBytes, LOG_SUM_EXP_BYTES, LOGIT_BYTES, partialResultBytes } from './sizes.ts';
import { recomputesAll, type TokenRange } from './token-ranges.ts';

/** A cache that holds the tokens from position `base` on, up to `capacity` of them, in each plane. */
export interface Cache {
  buffer: number;
  base: number;
  capacity: number;
}

/** Positions of a cache that a plan ever touches, per layer group. */
interface Extent {
  base: number;
  end: number;
}

/** Everything a decode plan keeps in memory. Indices: [layer · microBatches + microBatch] for caches, [slot] for rotating buffers. */
export interface DecodeBuffers {
  /** Weights where the kernels read them: one pair per layer, or one per slot where they are offloaded. */
  kvProjection: number[];
  restOfWeights: number[];
  /** Offloaded weights in host memory, one pair per layer. */
  hostKvProjection: number[];
  hostRestOfWeights: number[];
  endWeights: number;
  residentKv: Cache[];
  hostKv: Cache[];
  hostActivations: Cache[];
  stagedKv: number[];
  stagedActivations: number[];
  /** Tokens that a slot of `stagedKv` holds. */
  stagedTokens: number;
  hidden: number[];
  newActivation: number[];
  projected: number[];
  newKv: number[];
  attended: number;
  /** Log-sum-exps of the GPU's part where the host attends too; one, as `attended`. */
  attendedLogSumExp: number[];
  ffnInput: number;
  ffnInner: number;
  logits: number;
  /** Host attention: queries down, result up (with one log-sum-exp per head). */
  hostQuery: number[];
  hostResult: number[];
  partialResult: number[];
}

export function allocate(
  builder: PlanBuilder,
  request: DecodeRequest,
  layers: LayerGroups,
  ranges: readonly (readonly TokenRange[])[],
  work: DecodeWork,
  slots: { staged: number; scratch: number; weights: number },
): DecodeBuffers {
  const { shape, batch, microBatches, schedule } = request;
  const offloaded = request.placement.weights === 'host';
  const lastContext = Math.max(...ranges.map((step) => step[0].context));
  const { extent, size, weights, tokenKv, tokenActivation } = work;
  const homeIs = (way: string) => schedule.home === way;

  const perLayer = <T>(make: (layer: number) => T) => Array.from({ length: shape.layers }, (_, layer) => make(layer));
  const rotating = (count: number, name: string, bytes: number, pool: 'gpu' | 'pinned' = 'gpu') =>
    bytes > 0 ? Array.from({ length: count }, (_, slot) => builder.buffer(`${name}[${slot}]`, pool, bytes)) : [];
  const weightBuffers = (name: string, part: (bytes: WeightBytes) => number) =>
    perLayer((layer) => builder.buffer(`${name}[${layer}]`, offloaded ? 'pinned' : 'gpu', part(weights[layer]), true));
  const weightSlots = (name: string, part: (bytes: WeightBytes) => number) =>
    rotating(slots.weights, name, Math.max(...weights.map(part)));

  /** One cache per layer and micro-batch over the positions its group touches; empty where it touches none. */
  const caches = (name: string, pool: 'gpu' | 'pinned', tokenBytes: number, used: (range: TokenRange) => Extent) => {
    const extents = layers.groups.map((_, group) => {
      const all = ranges.map((step) => used(step[group])).filter((one) => one.end > one.base);
      const base = Math.min(...all.map((one) => one.base));
      return all.length > 0 ? { base, capacity: Math.max(...all.map((one) => one.end)) - base } : undefined;
    });
    return Array.from({ length: shape.layers * microBatches }, (_, index): Cache => {
      const layer = Math.floor(index / microBatches);
      const found = extents[layers.of[layer]];
      if (!found) return { buffer: -1, base: 0, capacity: 0 };
      const label = `${name}[${layer}][${index % microBatches}]`;
      return { ...found, buffer: builder.buffer(label, pool, found.capacity * tokenBytes, true) };
    });
  };

  const hostWeights = offloaded ? weightBuffers : () => [];
  const hostKvProjection = hostWeights('host-weights-kv', (bytes) => bytes.kvProjection);
  const hostRestOfWeights = hostWeights('host-weights', (bytes) => bytes.rest);
  const gpuWeights = offloaded ? weightSlots : weightBuffers;
  const storesKv = homeIs('transferred') || homeIs('hostAttended');
  const stagedTokens = Math.max(
    ...ranges.flatMap((step) => step.map((range) => range.transferredEnd - range.residentEnd + 1)),
  );
  const recomputed = Math.max(
    ...ranges.flatMap((step) => step.map((range) => range.recomputedEnd - range.residentEnd)),
  );
  const hostAttends = ranges.some((step) => step.some((range) => range.context > range.transferredEnd));
  const hostSlots = hostAttends ? slots.scratch : 0;

  return {
    kvProjection: gpuWeights('weights-kv', (bytes) => bytes.kvProjection),
    restOfWeights: gpuWeights('weights', (bytes) => (offloaded ? bytes.restUsed : bytes.rest)),
    hostKvProjection,
    hostRestOfWeights,
    endWeights: builder.buffer('weights-embedding-head', 'gpu', endWeightBytes(shape, size.weights), true),
    residentKv: caches('resident-kv', 'gpu', tokenKv, (range) => ({
      base: range.from,
      end: homeIs('resident') ? lastContext + 1 : range.residentEnd,
    })),
    hostKv: caches('host-kv', 'pinned', tokenKv, (range) => ({
      base: range.recomputedEnd,
      end: storesKv && !(request.replans && recomputesAll(schedule, range)) ? lastContext + 1 : range.recomputedEnd,
    })),
    hostActivations: caches('host-activations', 'pinned', tokenActivation, (range) => ({
      base: range.residentEnd,
      end:
        homeIs('recomputed') || (request.replans && recomputesAll(schedule, range))
          ? lastContext + 1
          : range.recomputedEnd,
    })),
    stagedKv: homeIs('resident') ? [] : rotating(slots.staged, 'staged-kv', stagedTokens * tokenKv),
    stagedActivations: rotating(slots.staged, 'staged-activations', recomputed * tokenActivation),
    stagedTokens,
    hidden: rotating(microBatches, 'hidden', tokenActivation),
    newActivation: rotating(slots.scratch, 'new-activation', tokenActivation),
    projected: rotating(slots.scratch, 'projected', batch * extent.projected * size.activations),
    newKv: rotating(slots.scratch, 'new-kv', tokenKv),
    attended: builder.buffer('attended', 'gpu', batch * extent.attended * size.activations),
    attendedLogSumExp: rotating(
      Math.min(1, hostSlots),
      'attended-log-sum-exp',
      batch * shape.heads * LOG_SUM_EXP_BYTES,
    ),
    ffnInput: builder.buffer('ffn-input', 'gpu', tokenActivation),
    ffnInner: builder.buffer('ffn-inner', 'gpu', batch * ffnInnerBytes(shape, size)),
    logits: builder.buffer('logits', 'gpu', batch * shape.vocab * LOGIT_BYTES),
    hostQuery: rotating(hostSlots, 'host-query', batch * extent.query * size.activations, 'pinned'),
    hostResult: rotating(hostSlots, 'host-result', batch * partialResultBytes(shape, extent, size), 'pinned'),
    partialResult: rotating(hostSlots, 'partial-result', batch * partialResultBytes(shape, extent, size)),
  };
}
