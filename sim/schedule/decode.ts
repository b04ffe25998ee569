import { isMoeLayer } from '../model/weights.ts';
import { NONE, PlanBuilder } from '../plan/builder.ts';
import { Group, type Plan, Stream } from '../plan/plan.ts';
import { allocate, type Cache, type DecodeBuffers } from './decode-buffers.ts';
import type { DecodeRequest } from './decode-request.ts';
import { type ContextWork, type DecodeWork, decodeWork } from './decode-work.ts';
import { type LayerGroups, layerGroups } from './layer-groups.ts';
import { ffnInnerBytes, LOGIT_BYTES, partialResultBytes } from './sizes.ts';
import { recomputesAll, type TokenRange, tokenRanges } from './token-ranges.ts';

export interface DecodePlan {
  plan: Plan;
  /** Last GPU operation of each layer's block: [step · layers + layer]. */
  blockEnds: Uint32Array;
  /** Last operation of each layer's fetches, −1 where it has none: [step · layers + layer]. */
  fetchEnds: Int32Array;
  /** The operation that ends each step. */
  stepEnds: Uint32Array;
}

/** Turns a shape, a workload, a schedule and its splits into the operations of some decode steps. */
export function decodePlan(request: DecodeRequest): DecodePlan {
  return new Decode(request).build();
}

/** What a layer and micro-batch are being built for. */
interface Place {
  step: number;
  layer: number;
  microBatch: number;
  /** Index into per-layer, per-micro-batch caches. */
  cache: number;
  range: TokenRange;
  work: ContextWork;
  /** Slots of the rotating buffers. */
  staged: number;
  scratch: number;
  weights: number;
  /** The last operation of this place's fetch, and those that kernels wait for one by one where fetches run ahead. */
  activationCopy: number;
  kvCopy: number;
  hostAttend: number;
}

class Decode {
  readonly #request: DecodeRequest;
  readonly #builder: PlanBuilder;
  readonly #layers: LayerGroups;
  readonly #buffers: DecodeBuffers;
  readonly #work: DecodeWork;
  readonly #offloaded: boolean;
  readonly #slots: { staged: number; scratch: number; weights: number };
  /** While one micro-batch waits for the host's attention the next ones begin. */
  readonly #interleaved: boolean;
  /** Recompute before the block begins, not inside it: in series, and where W_K and W_V come before the other weights. */
  readonly #recomputesFirst: boolean;
  /** Weights are fetched before the results of the layer before: on the link's one stream they would otherwise wait for the host. */
  readonly #weightsAhead: boolean;
  /** What later steps need of a new token: [step][group]. */
  readonly #needed: { recomputedTo: number; kvFrom: number }[][];

  // Last operation to touch what the next one must wait for, NONE at first.
  readonly #stagedKvFree: number[];
  readonly #stagedActivationsFree: number[];
  readonly #weightsFree: number[];
  readonly #kvStored: number[];
  readonly #activationStored: number[];
  readonly #newKvFree: number[];
  readonly #newActivationFree: number[];
  readonly #kvProjectionCopied: number[];
  readonly #restCopied: number[];
  #lastFetch = NONE;
  #lastKernel = NONE;
  #fetchCount = 0;
  #layerCount = 0;

  constructor(request: DecodeRequest) {
    const { shape, microBatches, contexts, splits, schedule } = request;
    this.#request = request;
    this.#builder = new PlanBuilder(contexts.length * shape.layers * microBatches * 20);
    this.#layers = layerGroups(shape);
    this.#work = decodeWork(request, this.#layers);
    const others = request.otherSteps ? tokenRanges(this.#layers.groups, request.otherSteps) : [];
    this.#offloaded = request.placement.weights === 'host';
    const hostAttends = splits.some((step) => step.some((split) => split.hostAttended > 0));
    this.#weightsAhead = this.#offloaded && hostAttends;
    this.#interleaved = microBatches > 1 && hostAttends;
    this.#recomputesFirst = !schedule.prefetch || this.#offloaded;
    // Micro-batches under way at the same time each need buffers of their own.
    const ahead = this.#interleaved ? Math.max(2, microBatches) : 2;
    this.#slots = { staged: schedule.prefetch ? ahead : 1, scratch: ahead, weights: schedule.prefetch ? 2 : 1 };
    this.#buffers = allocate(
      this.#builder,
      request,
      this.#layers,
      [...this.#work.ranges, ...others],
      this.#work,
      this.#slots,
    );
    this.#needed = this.#usedLater(others);

    const none = (length: number) => new Array<number>(length).fill(NONE);
    this.#stagedKvFree = none(this.#slots.staged);
    this.#stagedActivationsFree = none(this.#slots.staged);
    this.#weightsFree = none(this.#slots.weights);
    this.#kvProjectionCopied = none(this.#slots.weights);
    this.#restCopied = none(this.#slots.weights);
    this.#kvStored = none(shape.layers * microBatches);
    this.#activationStored = none(shape.layers * microBatches);
    this.#newKvFree = none(this.#slots.scratch);
    this.#newActivationFree = none(this.#slots.scratch);
  }

  build(): DecodePlan {
    const { shape, contexts, microBatches } = this.#request;
    const blockEnds = new Uint32Array(contexts.length * shape.layers);
    const fetchEnds = new Int32Array(contexts.length * shape.layers);
    const stepEnds = new Uint32Array(contexts.length);
    if (this.#weightsAhead) this.#fetchWeights(0, 0);
    for (let step = 0; step < contexts.length; step++) {
      for (let j = 0; j < microBatches; j++) this.#embed(step, j);
      for (let layer = 0; layer < shape.layers; layer++) {
        const places: Place[] = [];
        for (let j = 0; j < microBatches; j++) {
          const place = this.#place(step, layer, j);
          places.push(place);
          this.#fetch(place);
          if (this.#recomputesFirst) this.#recompute(place);
          this.#project(place);
          this.#startHostAttention(place);
          if (this.#weightsAhead && j === microBatches - 1) this.#fetchNextWeights(step, layer);
          this.#store(place);
          if (!this.#recomputesFirst) this.#recompute(place);
          if (!this.#interleaved) this.#attendAndFeedForward(place);
        }
        fetchEnds[step * shape.layers + layer] = this.#lastFetch;
        if (this.#interleaved) for (const place of places) this.#attendAndFeedForward(place);
        this.#weightsFree[places[0].weights] = this.#lastKernel;
        blockEnds[step * shape.layers + layer] = this.#lastKernel;
        this.#layerCount++;
      }
      for (let j = 0; j < microBatches; j++) this.#head(step, j);
      stepEnds[step] = this.#builder.operation(
        Stream.compute,
        Group.stepEnd,
        shape.layers - 1,
        step,
        0,
        this.#work.stepEnd,
      );
    }
    const extent = { layers: shape.layers, steps: contexts.length, microBatches };
    return { plan: this.#builder.build(this.#work.table, extent), blockEnds, fetchEnds, stepEnds };
  }

  /**
   * For each step and layer group, how far later steps recompute, and from where they read KV: what a new token's X and KV are stored for.
   * After the last step tokens go the schedule's home way, or are recomputed where each step plans anew and the last one recomputes all.
   */
  #usedLater(others: TokenRange[][]): { recomputedTo: number; kvFrom: number }[][] {
    const { contexts, schedule, replans } = this.#request;
    const last = contexts[contexts.length - 1];
    const after = others.filter(([range]) => range.context > last);
    const use = ({ residentEnd, recomputedEnd }: TokenRange) => ({
      recomputedTo: recomputedEnd > residentEnd ? recomputedEnd : 0,
      kvFrom: recomputedEnd,
    });
    const beyond = (range: TokenRange) =>
      replans && recomputesAll(schedule, range)
        ? { recomputedTo: Number.POSITIVE_INFINITY, kvFrom: Number.POSITIVE_INFINITY }
        : { recomputedTo: 0, kvFrom: range.recomputedEnd };
    const both = (a: ReturnType<typeof use>, b: ReturnType<typeof use>) => ({
      recomputedTo: Math.max(a.recomputedTo, b.recomputedTo),
      kvFrom: Math.min(a.kvFrom, b.kvFrom),
    });
    const finalRanges = after[after.length - 1] ?? this.#work.ranges[contexts.length - 1];
    let uses = finalRanges.map((range, g) => after.map((step) => use(step[g])).reduce(both, beyond(range)));
    const later: ReturnType<typeof use>[][] = [];
    for (let step = contexts.length - 1; step >= 0; step--) {
      later[step] = uses;
      uses = uses.map((used, g) => both(used, use(this.#work.ranges[step][g])));
    }
    return later;
  }

  #place(step: number, layer: number, microBatch: number): Place {
    const group = this.#layers.of[layer];
    const fetch = this.#fetchCount++;
    return {
      step,
      layer,
      microBatch,
      cache: layer * this.#request.microBatches + microBatch,
      range: this.#work.ranges[step][group],
      work: this.#work.context[step][group],
      staged: fetch % this.#slots.staged,
      scratch: fetch % this.#slots.scratch,
      weights: this.#offloaded ? this.#layerCount % this.#slots.weights : layer,
      activationCopy: NONE,
      kvCopy: NONE,
      hostAttend: NONE,
    };
  }

  #operation(stream: number, group: number, place: Place, work: number): number {
    return this.#builder.operation(stream, group, place.layer, place.step, place.microBatch, work);
  }

  #kernel(group: number, place: Place, work: number): number {
    this.#lastKernel = this.#operation(Stream.compute, group, place, work);
    return this.#lastKernel;
  }

  #embed(step: number, microBatch: number): void {
    const builder = this.#builder;
    this.#lastKernel = builder.operation(Stream.compute, Group.embed, 0, step, microBatch, this.#work.dense.embed);
    builder.reads(this.#buffers.endWeights, 0, this.#work.tokenActivation);
    builder.writes(this.#buffers.hidden[microBatch], 0, this.#work.tokenActivation);
  }

  /** Copies of a layer for one micro-batch: W_K and W_V, activations, the other weights, KV. */
  #fetch(place: Place): void {
    const { step, layer, weights, work } = place;
    const bringWeights = this.#offloaded && !this.#weightsAhead && place.microBatch === 0;
    this.#lastFetch = NONE;
    if (bringWeights) this.#copyWeights('kvProjection', step, layer, weights);
    if (work.copyActivation !== NONE) place.activationCopy = this.#copyActivation(place);
    if (bringWeights) this.#copyWeights('rest', step, layer, weights);
    if (work.copyKv !== NONE) place.kvCopy = this.#copyKv(place);
  }

  #fetchWeights(step: number, layer: number): void {
    const slot = (step * this.#request.shape.layers + layer) % this.#slots.weights;
    this.#copyWeights('kvProjection', step, layer, slot);
    this.#copyWeights('rest', step, layer, slot);
  }

  #fetchNextWeights(step: number, layer: number): void {
    const { shape, contexts } = this.#request;
    if (layer + 1 < shape.layers) this.#fetchWeights(step, layer + 1);
    else if (step + 1 < contexts.length) this.#fetchWeights(step + 1, 0);
  }

  #openCopy(group: number, place: Pick<Place, 'step' | 'layer' | 'microBatch'>, work: number, free: number): number {
    this.#lastFetch = this.#builder.operation(Stream.h2d, group, place.layer, place.step, place.microBatch, work);
    this.#builder.after(this.#request.schedule.prefetch ? free : this.#lastKernel);
    return this.#lastFetch;
  }

  #copyWeights(part: 'kvProjection' | 'rest', step: number, layer: number, slot: number): void {
    const first = part === 'kvProjection';
    const place = { step, layer, microBatch: 0 };
    const copy = this.#openCopy(Group.copyWeights, place, this.#work.copies[part][layer], this.#weightsFree[slot]);
    const bytes = first ? this.#work.weights[layer].kvProjection : this.#work.weights[layer].restUsed;
    this.#builder.reads((first ? this.#buffers.hostKvProjection : this.#buffers.hostRestOfWeights)[layer], 0, bytes);
    this.#builder.writes((first ? this.#buffers.kvProjection : this.#buffers.restOfWeights)[slot], 0, bytes);
    (first ? this.#kvProjectionCopied : this.#restCopied)[slot] = copy;
  }

  #copyActivation(place: Place): number {
    const { range, cache, staged } = place;
    const bytes = (range.recomputedEnd - range.residentEnd) * this.#work.tokenActivation;
    const source = this.#buffers.hostActivations[cache];
    const copy = this.#openCopy(
      Group.copyActivation,
      place,
      place.work.copyActivation,
      this.#stagedActivationsFree[staged],
    );
    if (range.recomputedEnd > this.#request.contexts[0]) this.#builder.after(this.#activationStored[cache]);
    this.#builder.reads(source.buffer, (range.residentEnd - source.base) * this.#work.tokenActivation, bytes);
    this.#builder.writes(this.#buffers.stagedActivations[staged], 0, bytes);
    return copy;
  }

  #copyKv(place: Place): number {
    const { range, cache, staged } = place;
    const source = this.#buffers.hostKv[cache];
    const copy = this.#openCopy(Group.copyKv, place, place.work.copyKv, this.#stagedKvFree[staged]);
    if (range.transferredEnd > this.#request.contexts[0]) this.#builder.after(this.#kvStored[cache]);
    this.#cacheOperand(false, source, range.recomputedEnd, range.transferredEnd);
    this.#stagedOperand(true, place, range.recomputedEnd, range.transferredEnd);
    return copy;
  }

  /** Positions from..to of every plane of a cache. */
  #cacheOperand(write: boolean, cache: Cache, from: number, to: number): void {
    const { planes } = this.#work.extent;
    const row = this.#work.tokenKv / planes;
    this.#builder[write ? 'writes' : 'reads'](
      cache.buffer,
      (from - cache.base) * row,
      (to - from) * row,
      planes,
      cache.capacity * row,
    );
  }

  /** Positions from..to in the slot of staged KV, where the first token that is not resident comes first. */
  #stagedOperand(write: boolean, place: Place, from: number, to: number): void {
    const buffer = this.#buffers.stagedKv[place.staged];
    this.#cacheOperand(
      write,
      { buffer, base: place.range.residentEnd, capacity: this.#buffers.stagedTokens },
      from,
      to,
    );
  }

  #recompute(place: Place): void {
    const { range, work, staged } = place;
    if (work.recompute === NONE) return;
    const builder = this.#builder;
    this.#stagedActivationsFree[staged] = this.#kernel(Group.recompute, place, work.recompute);
    builder.after(place.activationCopy);
    if (this.#offloaded) builder.after(this.#kvProjectionCopied[place.weights]);
    builder.reads(
      this.#buffers.stagedActivations[staged],
      0,
      (range.recomputedEnd - range.residentEnd) * this.#work.tokenActivation,
    );
    builder.reads(this.#buffers.kvProjection[place.weights], 0, this.#work.weights[place.layer].kvProjection);
    this.#stagedOperand(true, place, range.residentEnd, range.recomputedEnd);
    for (const keys of work.recomputedKeys) {
      this.#kernel(Group.recompute, place, keys);
      this.#stagedOperand(true, place, range.residentEnd, range.recomputedEnd);
    }
  }

  /** The block up to the new token's K and V: norm, projection, rotary embedding, append. */
  #project(place: Place): void {
    const builder = this.#builder;
    const buffers = this.#buffers;
    const { scratch, microBatch, range } = place;
    const { shape, batch, schedule } = this.#request;
    const projected = batch * this.#work.extent.projected * this.#work.size.activations;
    this.#kernel(Group.block, place, this.#work.dense.norm);
    if (!schedule.prefetch) builder.after(place.kvCopy);
    builder.after(this.#newActivationFree[scratch]);
    builder.reads(buffers.hidden[microBatch], 0, this.#work.tokenActivation);
    builder.writes(buffers.newActivation[scratch], 0, this.#work.tokenActivation);
    this.#work.dense.project.forEach((work, i) => {
      this.#kernel(Group.block, place, work);
      if (i === 0) {
        builder.reads(buffers.newActivation[scratch], 0, this.#work.tokenActivation);
        this.#weightOperands(place);
      }
      builder.writes(buffers.projected[scratch], 0, projected);
    });
    if (shape.qkNorm) {
      this.#kernel(Group.block, place, this.#work.dense.qkNorm);
      builder.writes(buffers.projected[scratch], 0, projected);
    }
    if (shape.rotary) {
      this.#kernel(Group.block, place, this.#work.dense.rope);
      builder.writes(buffers.projected[scratch], 0, projected);
    }
    this.#kernel(Group.block, place, this.#work.dense.append);
    builder.after(this.#newKvFree[scratch]);
    builder.reads(buffers.projected[scratch], 0, projected);
    builder.writes(buffers.newKv[scratch], 0, this.#work.tokenKv);
    this.#newTokenOperand(true, place, range.context);
  }

  /** Where the new token's K and V go for this step's attention: behind the resident tokens or behind the staged ones. */
  #newTokenOperand(write: boolean, place: Place, context: number): void {
    if (this.#request.schedule.home === 'resident') {
      this.#cacheOperand(write, this.#buffers.residentKv[place.cache], context, context + 1);
    } else {
      this.#stagedOperand(write, place, place.range.transferredEnd, place.range.transferredEnd + 1);
    }
  }

  #weightOperands(place: Place): void {
    const { weights, layer } = place;
    const { kvProjection, rest, restUsed } = this.#work.weights[layer];
    if (this.#offloaded) {
      this.#builder.after(this.#kvProjectionCopied[weights]);
      this.#builder.after(this.#restCopied[weights]);
    }
    this.#builder.reads(this.#buffers.kvProjection[weights], 0, kvProjection);
    this.#builder.reads(this.#buffers.restOfWeights[weights], 0, this.#offloaded ? restUsed : rest);
  }

  /** Query down, attention on the host. The slots' next users come after this place's merge, which waits for all of it. */
  #startHostAttention(place: Place): void {
    const { work, scratch, cache, range } = place;
    if (work.hostAttend === NONE) return;
    const { batch, shape } = this.#request;
    const builder = this.#builder;
    const queryBytes = batch * this.#work.extent.query * this.#work.size.activations;
    const queryCopy = this.#operation(Stream.d2h, Group.hostAttention, place, this.#work.copies.query);
    builder.after(this.#lastKernel);
    builder.reads(this.#buffers.projected[scratch], 0, queryBytes);
    builder.writes(this.#buffers.hostQuery[scratch], 0, queryBytes);

    place.hostAttend = this.#operation(Stream.host, Group.hostAttention, place, work.hostAttend);
    builder.after(queryCopy);
    if (range.context > this.#request.contexts[0]) builder.after(this.#kvStored[cache]);
    builder.reads(this.#buffers.hostQuery[scratch], 0, queryBytes);
    this.#cacheOperand(false, this.#buffers.hostKv[cache], range.transferredEnd, range.context);
    const resultBytes = batch * partialResultBytes(shape, this.#work.extent, this.#work.size);
    builder.writes(this.#buffers.hostResult[scratch], 0, resultBytes);
  }

  /** The new token's KV, and its activation where a later step recomputes from it, go to the host. */
  #store(place: Place): void {
    const { scratch, cache, range, step, layer } = place;
    const { home } = this.#request.schedule;
    const builder = this.#builder;
    const append = this.#lastKernel;
    const needed = this.#needed[step][this.#layers.of[layer]];
    if ((home === 'transferred' || home === 'hostAttended') && range.context >= needed.kvFrom) {
      const store = this.#operation(Stream.d2h, Group.store, place, this.#work.copies.storeKv);
      builder.after(append);
      builder.reads(this.#buffers.newKv[scratch], 0, this.#work.tokenKv);
      this.#cacheOperand(true, this.#buffers.hostKv[cache], range.context, range.context + 1);
      this.#kvStored[cache] = store;
      this.#newKvFree[scratch] = store;
    }
    if (home === 'recomputed' || range.context < needed.recomputedTo) {
      const store = this.#operation(Stream.d2h, Group.store, place, this.#work.copies.storeX);
      builder.after(append);
      builder.reads(this.#buffers.newActivation[scratch], 0, this.#work.tokenActivation);
      const target = this.#buffers.hostActivations[cache];
      builder.writes(
        target.buffer,
        (range.context - target.base) * this.#work.tokenActivation,
        this.#work.tokenActivation,
      );
      this.#activationStored[cache] = store;
      this.#newActivationFree[scratch] = store;
    }
  }

  /** The rest of the block: attention, merge with the host's part, output projection, feed-forward. */
  #attendAndFeedForward(place: Place): void {
    const { range, cache, staged, scratch, microBatch, work, layer } = place;
    const { batch, shape } = this.#request;
    const buffers = this.#buffers;
    const builder = this.#builder;
    const attended = batch * this.#work.extent.attended * this.#work.size.activations;
    this.#stagedKvFree[staged] = this.#kernel(Group.block, place, work.attend);
    if (this.#request.schedule.prefetch) builder.after(place.kvCopy);
    builder.reads(buffers.projected[scratch], 0, batch * this.#work.extent.query * this.#work.size.activations);
    if (range.residentEnd > range.from) {
      this.#cacheOperand(false, buffers.residentKv[cache], range.from, range.residentEnd);
    }
    if (range.transferredEnd > range.residentEnd) {
      this.#stagedOperand(false, place, range.residentEnd, range.transferredEnd);
    }
    this.#newTokenOperand(false, place, range.context);
    builder.writes(buffers.attended, 0, attended);
    if (place.hostAttend !== NONE) this.#mergeHostAttention(place, attended);

    const moe = isMoeLayer(shape, layer);
    const ffn = moe ? this.#work.dense.moeFfn : this.#work.dense.denseFfn;
    this.#work.dense.out.forEach((out, i) => {
      this.#kernel(Group.block, place, out);
      builder.reads(buffers.attended, 0, attended);
      if (i === 0) this.#weightOperands(place);
      builder.writes(buffers.hidden[microBatch], 0, this.#work.tokenActivation);
    });
    // Norms beyond the first: before the feed-forward part, and on outputs where the model has them.
    for (let norm = 1; norm < shape.normsPerLayer; norm++) {
      this.#kernel(Group.block, place, this.#work.dense.norm);
      builder.reads(buffers.hidden[microBatch], 0, this.#work.tokenActivation);
      builder.writes(buffers.ffnInput, 0, this.#work.tokenActivation);
    }
    ffn.forEach((part, i) => {
      this.#kernel(Group.block, place, part);
      builder.reads(buffers.ffnInput, 0, this.#work.tokenActivation);
      const last = i === ffn.length - 1;
      if (i === 0) this.#weightOperands(place);
      if (last) builder.writes(buffers.hidden[microBatch], 0, this.#work.tokenActivation);
      else builder.writes(buffers.ffnInner, 0, batch * ffnInnerBytes(shape, this.#work.size));
    });
  }

  #mergeHostAttention(place: Place, attended: number): void {
    const { scratch } = place;
    const { batch, shape } = this.#request;
    const builder = this.#builder;
    const bytes = batch * partialResultBytes(shape, this.#work.extent, this.#work.size);
    const copy = this.#operation(Stream.h2d, Group.hostAttention, place, this.#work.copies.result);
    builder.after(place.hostAttend);
    builder.reads(this.#buffers.hostResult[scratch], 0, bytes);
    builder.writes(this.#buffers.partialResult[scratch], 0, bytes);
    this.#kernel(Group.block, place, this.#work.dense.merge);
    builder.after(copy);
    builder.reads(this.#buffers.partialResult[scratch], 0, bytes);
    builder.writes(this.#buffers.attended, 0, attended);
  }

  #head(step: number, microBatch: number): void {
    const { shape, batch } = this.#request;
    const builder = this.#builder;
    const last = shape.layers - 1;
    const [norm, gemm] = this.#work.dense.head;
    builder.operation(Stream.compute, Group.head, last, step, microBatch, norm);
    builder.reads(this.#buffers.hidden[microBatch], 0, this.#work.tokenActivation);
    builder.writes(this.#buffers.ffnInput, 0, this.#work.tokenActivation);
    this.#lastKernel = builder.operation(Stream.compute, Group.head, last, step, microBatch, gemm);
    builder.reads(this.#buffers.ffnInput, 0, this.#work.tokenActivation);
    builder.writes(this.#buffers.logits, 0, batch * shape.vocab * LOGIT_BYTES);
  }
}
