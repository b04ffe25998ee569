import { isMoeLayer } from '../model/weights.ts';
import { NONE, PlanBuilder } from '../plan/builder.ts';
import { Group, Kind, type Plan, type PlanModel, Stream } from '../plan/plan.ts';
import { allocate, type DecodeBuffers } from './decode-buffers.ts';
import type { DecodeRequest } from './decode-request.ts';
import { type ContextWork, type DecodeWork, decodeWork } from './decode-work.ts';
import { type LayerGroups, layerGroups } from './layer-groups.ts';
import { type OperandPlace, Operands } from './operands.ts';
import { recomputesAll, type TokenRange, tokenRanges } from './token-ranges.ts';

export interface DecodePlan {
  plan: Plan;
  /** What it was built for. */
  request: DecodeRequest;
  /** Which of the plan's buffers are what. */
  buffers: DecodeBuffers;
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
interface Place extends OperandPlace {
  step: number;
  work: ContextWork;
  /** The last operation of this place's fetch, and those that kernels wait for one by one where fetches run ahead. */
  activationCopy: number;
  kvCopy: number;
  hostAttend: number;
}

/** Positions that later steps use, from the first to behind the last; a window may have passed a token by before. */
interface Needed {
  recomputedFrom: number;
  recomputedTo: number;
  kvFrom: number;
}

class Decode {
  readonly #request: DecodeRequest;
  readonly #builder: PlanBuilder;
  readonly #layers: LayerGroups;
  readonly #buffers: DecodeBuffers;
  readonly #operands: Operands;
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
  readonly #needed: Needed[][];

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
    // In series there is one buffer of each kind, which whatever ran ahead would overwrite.
    const runsAhead = schedule.prefetch && splits.some((step) => step.some((split) => split.hostAttended > 0));
    this.#weightsAhead = this.#offloaded && runsAhead;
    this.#interleaved = microBatches > 1 && runsAhead;
    this.#recomputesFirst = !schedule.prefetch || this.#offloaded;
    // Micro-batches under way at the same time each need buffers of their own.
    const ahead = this.#interleaved ? Math.max(2, microBatches) : 2;
    this.#slots = { staged: schedule.prefetch ? ahead : 1, scratch: ahead, weights: schedule.prefetch ? 2 : 1 };
    const ranges = [...this.#work.ranges, ...others];
    this.#buffers = allocate(this.#builder, request, this.#layers, ranges, this.#work, this.#slots);
    this.#operands = new Operands(this.#builder, request, this.#buffers, this.#work);
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
    return {
      plan: this.#builder.build(this.#work.table, planModel(this.#request), extent),
      request: this.#request,
      buffers: this.#buffers,
      blockEnds,
      fetchEnds,
      stepEnds,
    };
  }

  /**
   * For each step and layer group, which tokens later steps recompute, and from where they read KV: what a new token's X and KV are stored for.
   * After the last step tokens go the schedule's home way, or are recomputed where each step plans anew and the last one recomputes all.
   */
  #usedLater(others: TokenRange[][]): Needed[][] {
    const { contexts, schedule, replans } = this.#request;
    const last = contexts[contexts.length - 1];
    const after = others.filter(([range]) => range.context > last);
    const nothing = { recomputedFrom: Number.POSITIVE_INFINITY, recomputedTo: 0 };
    const use = ({ residentEnd, recomputedEnd }: TokenRange): Needed => ({
      ...(recomputedEnd > residentEnd ? { recomputedFrom: residentEnd, recomputedTo: recomputedEnd } : nothing),
      kvFrom: recomputedEnd,
    });
    const all = Number.POSITIVE_INFINITY;
    const beyond = (range: TokenRange): Needed =>
      replans && recomputesAll(schedule, range)
        ? { recomputedFrom: range.residentEnd, recomputedTo: all, kvFrom: all }
        : { ...nothing, kvFrom: range.recomputedEnd };
    const both = (a: Needed, b: Needed): Needed => ({
      recomputedFrom: Math.min(a.recomputedFrom, b.recomputedFrom),
      recomputedTo: Math.max(a.recomputedTo, b.recomputedTo),
      kvFrom: Math.min(a.kvFrom, b.kvFrom),
    });
    const finalRanges = after[after.length - 1] ?? this.#work.ranges[contexts.length - 1];
    let uses = finalRanges.map((range, g) => after.map((step) => use(step[g])).reduce(both, beyond(range)));
    const later: Needed[][] = [];
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
    return this.#operationAt(place.range.context, stream, group, place, work);
  }

  #operationAt(token: number, stream: number, group: number, place: Place, work: number): number {
    return this.#builder.operation(stream, group, place.layer, place.step, place.microBatch, work, token);
  }

  #kernel(group: number, place: Place, work: number, token = place.range.context): number {
    this.#lastKernel = this.#operationAt(token, Stream.compute, group, place, work);
    return this.#lastKernel;
  }

  #embed(step: number, microBatch: number): void {
    const context = this.#request.contexts[step];
    const { embed } = this.#work.dense;
    this.#lastKernel = this.#builder.operation(Stream.compute, Group.embed, 0, step, microBatch, embed, context);
    this.#operands.embed(microBatch);
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

  #openCopy(
    group: number,
    place: Pick<Place, 'step' | 'layer' | 'microBatch'>,
    work: number,
    free: number,
    token = 0,
  ): number {
    const { layer, step, microBatch } = place;
    this.#lastFetch = this.#builder.operation(Stream.h2d, group, layer, step, microBatch, work, token);
    this.#builder.after(this.#request.schedule.prefetch ? free : this.#lastKernel);
    return this.#lastFetch;
  }

  #copyWeights(part: 'kvProjection' | 'rest', step: number, layer: number, slot: number): void {
    const place = { step, layer, microBatch: 0 };
    const copy = this.#openCopy(Group.copyWeights, place, this.#work.copies[part][layer], this.#weightsFree[slot]);
    this.#operands.copyWeights(part, layer, slot);
    (part === 'kvProjection' ? this.#kvProjectionCopied : this.#restCopied)[slot] = copy;
  }

  #copyActivation(place: Place): number {
    const { range, cache, work } = place;
    const free = this.#stagedActivationsFree[place.staged];
    const copy = this.#openCopy(Group.copyActivation, place, work.copyActivation, free, range.residentEnd);
    if (range.recomputedEnd > this.#request.contexts[0]) this.#builder.after(this.#activationStored[cache]);
    this.#operands.copyActivation(place);
    return copy;
  }

  #copyKv(place: Place): number {
    const { range, cache, work } = place;
    const copy = this.#openCopy(
      Group.copyKv,
      place,
      work.copyKv,
      this.#stagedKvFree[place.staged],
      range.recomputedEnd,
    );
    if (range.transferredEnd > this.#request.contexts[0]) this.#builder.after(this.#kvStored[cache]);
    this.#operands.copyKv(place);
    return copy;
  }

  #recompute(place: Place): void {
    const { work, staged, weights } = place;
    const { residentEnd } = place.range;
    if (work.recompute === NONE) return;
    this.#stagedActivationsFree[staged] = this.#kernel(Group.recompute, place, work.recompute, residentEnd);
    this.#builder.after(place.activationCopy);
    if (this.#offloaded) this.#builder.after(this.#kvProjectionCopied[weights]);
    this.#operands.recompute(place);
    for (const keys of work.recomputedKeys) {
      this.#kernel(Group.recompute, place, keys, residentEnd);
      if (this.#work.table.kind[keys] === Kind.rope) this.#operands.rotateRecomputedKeys(place);
      else {
        // The norm's weights are not among those that come first.
        if (this.#offloaded) this.#builder.after(this.#restCopied[weights]);
        this.#operands.normRecomputedKeys(place);
      }
    }
  }

  /** The block up to the new token's K and V: norm, projection, rotary embedding, append. */
  #project(place: Place): void {
    const { scratch, weights } = place;
    const { shape, schedule } = this.#request;
    const { norm, project, qkNorm, rope, append } = this.#work.dense;
    this.#kernel(Group.block, place, norm);
    if (!schedule.prefetch) this.#builder.after(place.kvCopy);
    if (this.#offloaded) {
      this.#builder.after(this.#kvProjectionCopied[weights]);
      this.#builder.after(this.#restCopied[weights]);
    }
    this.#builder.after(this.#newActivationFree[scratch]);
    this.#operands.firstNorm(place);
    project.forEach((work, i) => {
      this.#kernel(Group.block, place, work);
      this.#operands.project(place, i);
    });
    if (shape.qkNorm) {
      this.#kernel(Group.block, place, qkNorm);
      this.#operands.normQueryAndKeys(place);
    }
    if (shape.rotary) {
      this.#kernel(Group.block, place, rope);
      this.#operands.rotateQueryAndKeys(place);
    }
    this.#kernel(Group.block, place, append);
    this.#builder.after(this.#newKvFree[scratch]);
    this.#operands.append(place);
  }

  /** Query down, attention on the host. The slots' next users come after this place's merge, which waits for all of it. */
  #startHostAttention(place: Place): void {
    const { work, scratch, cache, range } = place;
    if (work.hostAttend === NONE) return;
    const queryCopy = this.#operation(Stream.d2h, Group.hostAttention, place, this.#work.copies.query);
    this.#builder.after(this.#lastKernel);
    this.#operands.copyQuery(scratch);

    const first = range.transferredEnd;
    place.hostAttend = this.#operationAt(first, Stream.host, Group.hostAttention, place, work.hostAttend);
    this.#builder.after(queryCopy);
    if (range.context > this.#request.contexts[0]) this.#builder.after(this.#kvStored[cache]);
    this.#operands.hostAttend(place);
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
      this.#operands.storeKv(place);
      this.#kvStored[cache] = store;
      this.#newKvFree[scratch] = store;
    }
    const recomputedLater = range.context >= needed.recomputedFrom && range.context < needed.recomputedTo;
    if (home === 'recomputed' || recomputedLater) {
      const store = this.#operation(Stream.d2h, Group.store, place, this.#work.copies.storeX);
      builder.after(append);
      this.#operands.storeActivation(place);
      this.#activationStored[cache] = store;
      this.#newActivationFree[scratch] = store;
    }
  }

  /** The rest of the block: attention, merge with the host's part, output projection, feed-forward. */
  #attendAndFeedForward(place: Place): void {
    const { range, staged, work, layer } = place;
    const { shape, schedule } = this.#request;
    const { out, norm, moeFfn, denseFfn } = this.#work.dense;
    const merges = place.hostAttend !== NONE;
    this.#stagedKvFree[staged] = this.#kernel(Group.block, place, work.attend, range.from);
    if (schedule.prefetch) this.#builder.after(place.kvCopy);
    this.#operands.attend(place, merges);
    if (merges) this.#mergeHostAttention(place);

    out.forEach((part, i) => {
      this.#kernel(Group.block, place, part);
      this.#operands.out(place, i);
    });
    for (let i = 1; i < shape.normsPerLayer; i++) {
      this.#kernel(Group.block, place, norm);
      this.#operands.laterNorm(place, i);
    }
    const feedForward = isMoeLayer(shape, layer) ? moeFfn : denseFfn;
    feedForward.forEach((part, i) => {
      this.#kernel(Group.block, place, part);
      this.#operands.feedForward(place, i, i === feedForward.length - 1);
    });
  }

  #mergeHostAttention(place: Place): void {
    const copy = this.#operation(Stream.h2d, Group.hostAttention, place, this.#work.copies.result);
    this.#builder.after(place.hostAttend);
    this.#operands.copyResult(place.scratch);
    this.#kernel(Group.block, place, this.#work.dense.merge);
    this.#builder.after(copy);
    this.#operands.merge(place);
  }

  #head(step: number, microBatch: number): void {
    const { shape, contexts } = this.#request;
    const [norm, gemm] = this.#work.dense.head;
    const operation = (work: number) =>
      this.#builder.operation(Stream.compute, Group.head, shape.layers - 1, step, microBatch, work, contexts[step]);
    operation(norm);
    this.#operands.headNorm(microBatch);
    this.#lastKernel = operation(gemm);
    this.#operands.head();
  }
}

/** The base that most models rotate with, and the usual epsilon: they change numbers, not time. */
const ROPE_THETA = 10_000;
const NORM_EPSILON = 1e-5;

function planModel({ shape, batch }: DecodeRequest): PlanModel {
  const { heads, kvHeads, headDim, gated } = shape;
  const activation = gated ? 'silu' : 'relu';
  return { batch, heads, kvHeads, headDim, ropeTheta: ROPE_THETA, normEpsilon: NORM_EPSILON, activation };
}
