import type { PlanBuilder } from '../plan/builder.ts';
import { Role } from '../plan/plan.ts';
import type { Cache, DecodeBuffers } from './decode-buffers.ts';
import type { DecodeRequest } from './decode-request.ts';
import type { DecodeWork } from './decode-work.ts';
import { ffnInnerBytes, LOG_SUM_EXP_BYTES, LOGIT_BYTES } from './sizes.ts';
import type { TokenRange } from './token-ranges.ts';
import {
  type EndLayout,
  endLayout,
  type LayerLayout,
  type Linear,
  layerLayout,
  type WeightPart,
} from './weight-layout.ts';

/** Whose operands are asked for. */
export interface OperandPlace {
  layer: number;
  microBatch: number;
  /** Index into per-layer, per-micro-batch caches. */
  cache: number;
  range: TokenRange;
  /** Slots of the rotating buffers. */
  staged: number;
  scratch: number;
  weights: number;
}

/**
 * Says of the operation opened last which bytes it reads and writes, in the order that `Role` documents. Latent attention and routed
 * experts are named as whole buffers only: enough for memory and order, not to execute them.
 */
export class Operands {
  readonly #builder: PlanBuilder;
  readonly #request: DecodeRequest;
  readonly #buffers: DecodeBuffers;
  readonly #work: DecodeWork;
  readonly #layouts: LayerLayout[];
  readonly #end: EndLayout;

  constructor(builder: PlanBuilder, request: DecodeRequest, buffers: DecodeBuffers, work: DecodeWork) {
    this.#builder = builder;
    this.#request = request;
    this.#buffers = buffers;
    this.#work = work;
    const { shape } = request;
    // Layers differ only in having routed experts or not, which those before and after the first MoE layer show.
    const first = layerLayout(shape, 0);
    const last = layerLayout(shape, shape.layers - 1);
    this.#layouts = Array.from({ length: shape.layers }, (_, layer) =>
      layer < (shape.moe?.denseLayers ?? 0) ? first : last,
    );
    this.#end = endLayout(shape);
  }

  embed(microBatch: number): void {
    const { embedding, positions } = this.#end;
    this.#endWeight(Role.weight, embedding);
    if (positions) this.#endWeight(Role.bias, positions);
    this.#builder.writes(this.#buffers.hidden[microBatch], 0, this.#work.tokenActivation);
  }

  copyWeights(part: 'kvProjection' | 'rest', layer: number, slot: number): void {
    const first = part === 'kvProjection';
    const bytes = first ? this.#work.weights[layer].kvProjection : this.#work.weights[layer].restUsed;
    this.#builder.reads((first ? this.#buffers.hostKvProjection : this.#buffers.hostRestOfWeights)[layer], 0, bytes);
    this.#builder.writes((first ? this.#buffers.kvProjection : this.#buffers.restOfWeights)[slot], 0, bytes);
  }

  copyActivation({ range, cache, staged }: OperandPlace): void {
    const bytes = (range.recomputedEnd - range.residentEnd) * this.#work.tokenActivation;
    const source = this.#buffers.hostActivations[cache];
    this.#builder.reads(source.buffer, (range.residentEnd - source.base) * this.#work.tokenActivation, bytes);
    this.#builder.writes(this.#buffers.stagedActivations[staged], 0, bytes);
  }

  copyKv(place: OperandPlace): void {
    const { recomputedEnd, transferredEnd } = place.range;
    this.#planes(Role.input, false, this.#buffers.hostKv[place.cache], recomputedEnd, transferredEnd);
    this.#planes(Role.output, true, this.#staged(place), recomputedEnd, transferredEnd);
  }

  storeKv({ scratch, cache, range: { context } }: OperandPlace): void {
    this.#planes(Role.input, false, this.#newKv(scratch), 0, 1);
    this.#planes(Role.output, true, this.#buffers.hostKv[cache], context, context + 1);
  }

  storeActivation({ scratch, cache, range: { context } }: OperandPlace): void {
    const { tokenActivation } = this.#work;
    const target = this.#buffers.hostActivations[cache];
    this.#builder.reads(this.#buffers.newActivation[scratch], 0, tokenActivation);
    this.#builder.writes(target.buffer, (context - target.base) * tokenActivation, tokenActivation);
  }

  recompute(place: OperandPlace): void {
    const { residentEnd, recomputedEnd } = place.range;
    const { keys, values } = this.#layouts[place.layer];
    const bytes = (recomputedEnd - residentEnd) * this.#work.tokenActivation;
    this.#builder.reads(this.#buffers.stagedActivations[place.staged], 0, bytes);
    if (keys && values) {
      this.#linear(this.#buffers.kvProjection[place.weights], keys);
      this.#plane(Role.output, this.#staged(place), 0, residentEnd, recomputedEnd);
      this.#linear(this.#buffers.kvProjection[place.weights], values);
      this.#plane(Role.output, this.#staged(place), 1, residentEnd, recomputedEnd);
    } else {
      this.#wholeKvProjection(place);
      this.#planes(Role.output, true, this.#staged(place), residentEnd, recomputedEnd);
    }
  }

  /** The norm of recomputed keys; latents have theirs in the same place. */
  normRecomputedKeys(place: OperandPlace): void {
    const { keyNorm } = this.#layouts[place.layer];
    if (keyNorm) this.#rest(place, Role.weight, keyNorm.weight);
    this.#plane(Role.update, this.#staged(place), 0, place.range.residentEnd, place.range.recomputedEnd);
  }

  rotateRecomputedKeys(place: OperandPlace): void {
    this.#plane(Role.update, this.#staged(place), 0, place.range.residentEnd, place.range.recomputedEnd);
  }

  /** The norm before attention. */
  firstNorm(place: OperandPlace): void {
    this.#normWeights(place, 0);
    this.#builder.reads(this.#buffers.hidden[place.microBatch], 0, this.#work.tokenActivation);
    this.#builder.writes(this.#buffers.newActivation[place.scratch], 0, this.#work.tokenActivation);
  }

  /** The i-th norm after the first: before the feed-forward part, and on outputs where the model has them. */
  laterNorm(place: OperandPlace, i: number): void {
    this.#normWeights(place, i);
    this.#builder.reads(this.#buffers.hidden[place.microBatch], 0, this.#work.tokenActivation);
    this.#builder.writes(this.#buffers.ffnInput, 0, this.#work.tokenActivation);
  }

  /** The i-th kernel that projects the new token's query, keys and values; there is one but for latent attention. */
  project(place: OperandPlace, i: number): void {
    const { query, keys, values } = this.#layouts[place.layer];
    const { scratch, weights } = place;
    if (i === 0) this.#builder.reads(this.#buffers.newActivation[scratch], 0, this.#work.tokenActivation);
    if (query && keys && values) {
      this.#linear(this.#buffers.restOfWeights[weights], query);
      this.#projected(Role.output, scratch, 'query');
      this.#linear(this.#buffers.kvProjection[weights], keys);
      this.#projected(Role.output, scratch, 'keys');
      this.#linear(this.#buffers.kvProjection[weights], values);
      this.#projected(Role.output, scratch, 'values');
    } else {
      if (i === 0) this.#wholeWeights(place);
      this.#projected(Role.output, scratch, 'all');
    }
  }

  normQueryAndKeys(place: OperandPlace): void {
    const { queryNorm, keyNorm } = this.#layouts[place.layer];
    if (queryNorm && keyNorm) {
      this.#rest(place, Role.weight, queryNorm.weight);
      this.#projected(Role.update, place.scratch, 'query');
      this.#rest(place, Role.weight, keyNorm.weight);
      this.#projected(Role.update, place.scratch, 'keys');
    } else this.#projected(Role.update, place.scratch, 'all');
  }

  rotateQueryAndKeys({ scratch }: OperandPlace): void {
    if (this.#request.shape.mla) this.#projected(Role.update, scratch, 'all');
    else {
      this.#projected(Role.update, scratch, 'query');
      this.#projected(Role.update, scratch, 'keys');
    }
  }

  append(place: OperandPlace): void {
    const { scratch, range } = place;
    if (this.#request.shape.mla) this.#projected(Role.input, scratch, 'all');
    else {
      this.#projected(Role.input, scratch, 'keys');
      this.#projected(Role.input, scratch, 'values');
    }
    this.#planes(Role.cache, true, this.#newKv(scratch), 0, 1);
    this.#newToken(true, place, range.context);
  }

  attend(place: OperandPlace, hostAttends: boolean): void {
    const { range, cache, scratch } = place;
    this.#projected(Role.query, scratch, 'query');
    if (range.residentEnd > range.from) {
      this.#planes(Role.cache, false, this.#buffers.residentKv[cache], range.from, range.residentEnd);
    }
    if (range.transferredEnd > range.residentEnd) {
      this.#planes(Role.cache, false, this.#staged(place), range.residentEnd, range.transferredEnd);
    }
    this.#newToken(false, place, range.context);
    this.#attended(Role.output);
    if (hostAttends) this.#attendedLogSumExp(true);
  }

  copyQuery(scratch: number): void {
    this.#projected(Role.input, scratch, 'query');
    this.#builder.writes(this.#buffers.hostQuery[scratch], 0, this.#queryBytes());
  }

  hostAttend({ scratch, cache, range }: OperandPlace): void {
    this.#builder.operand(Role.query, false, this.#buffers.hostQuery[scratch], 0, this.#queryBytes());
    this.#planes(Role.cache, false, this.#buffers.hostKv[cache], range.transferredEnd, range.context);
    this.#partial(Role.output, true, this.#buffers.hostResult[scratch]);
    this.#partialLogSumExp(true, this.#buffers.hostResult[scratch]);
  }

  copyResult(scratch: number): void {
    const bytes = this.#attendedBytes() + this.#logSumExpBytes();
    this.#builder.reads(this.#buffers.hostResult[scratch], 0, bytes);
    this.#builder.writes(this.#buffers.partialResult[scratch], 0, bytes);
  }

  merge({ scratch }: OperandPlace): void {
    this.#partial(Role.input, false, this.#buffers.partialResult[scratch]);
    this.#partialLogSumExp(false, this.#buffers.partialResult[scratch]);
    this.#attendedLogSumExp(false);
    this.#attended(Role.update);
  }

  /** The i-th kernel of the output projection; there is one but for latent attention. */
  out(place: OperandPlace, i: number): void {
    const { out } = this.#layouts[place.layer];
    this.#attended(Role.input);
    if (out) this.#linear(this.#buffers.restOfWeights[place.weights], out);
    else if (i === 0) this.#wholeWeights(place);
    this.#hidden(place.microBatch);
  }

  /** The i-th of the feed-forward part's kernels: up, activation, down, where it is not routed. */
  feedForward(place: OperandPlace, i: number, last: boolean): void {
    const { up, down } = this.#layouts[place.layer];
    if (!up || !down) {
      this.#routed(place, i, last);
      return;
    }
    const rest = this.#buffers.restOfWeights[place.weights];
    if (i === 0) {
      this.#builder.reads(this.#buffers.ffnInput, 0, this.#work.tokenActivation);
      up.forEach((linear, panel) => {
        this.#linear(rest, linear);
        this.#inner(Role.output, panel);
      });
    } else if (last) {
      this.#inner(Role.input, 0);
      this.#linear(rest, down);
      this.#hidden(place.microBatch);
    } else {
      up.forEach((_, panel) => {
        this.#inner(Role.input, panel);
      });
      this.#inner(Role.output, 0);
    }
  }

  headNorm(microBatch: number): void {
    const { weight, bias } = this.#end.finalNorm;
    this.#endWeight(Role.weight, weight);
    if (bias) this.#endWeight(Role.bias, bias);
    this.#builder.reads(this.#buffers.hidden[microBatch], 0, this.#work.tokenActivation);
    this.#builder.writes(this.#buffers.ffnInput, 0, this.#work.tokenActivation);
  }

  head(): void {
    const { batch, shape } = this.#request;
    this.#builder.reads(this.#buffers.ffnInput, 0, this.#work.tokenActivation);
    this.#endWeight(Role.weightTransposed, this.#end.head);
    this.#builder.writes(this.#buffers.logits, 0, batch * shape.vocab * LOGIT_BYTES);
  }

  #routed(place: OperandPlace, i: number, last: boolean): void {
    const { batch, shape } = this.#request;
    this.#builder.reads(this.#buffers.ffnInput, 0, this.#work.tokenActivation);
    if (i === 0) this.#wholeWeights(place);
    if (last) this.#hidden(place.microBatch);
    else this.#builder.writes(this.#buffers.ffnInner, 0, batch * ffnInnerBytes(shape, this.#work.size));
  }

  /** The residual stream: what is written is added to it. */
  #hidden(microBatch: number): void {
    this.#builder.operand(Role.update, true, this.#buffers.hidden[microBatch], 0, this.#work.tokenActivation);
  }

  /** Gate and up lie one behind the other. */
  #inner(role: number, panel: number): void {
    const bytes = this.#request.batch * this.#request.shape.ffn * this.#work.size.activations;
    this.#builder.operand(role, role === Role.output, this.#buffers.ffnInner, panel * bytes, bytes);
  }

  #queryBytes(): number {
    return this.#request.batch * this.#work.extent.query * this.#work.size.activations;
  }

  /** The new token's projection: queries of all sequences, then keys, then values. */
  #projected(role: number, scratch: number, part: 'query' | 'keys' | 'values' | 'all'): void {
    const { projected, kv } = this.#work.extent;
    const unit = this.#request.batch * this.#work.size.activations;
    const query = this.#queryBytes();
    const plane = (unit * kv) / 2;
    const [offset, bytes] = {
      query: [0, query],
      keys: [query, plane],
      values: [query + plane, plane],
      all: [0, unit * projected],
    }[part];
    this.#builder.operand(
      role,
      role === Role.output || role === Role.update,
      this.#buffers.projected[scratch],
      offset,
      bytes,
    );
  }

  #attendedBytes(): number {
    return this.#request.batch * this.#work.extent.attended * this.#work.size.activations;
  }

  #logSumExpBytes(): number {
    return this.#request.batch * this.#request.shape.heads * LOG_SUM_EXP_BYTES;
  }

  #attended(role: number): void {
    this.#builder.operand(role, role !== Role.input, this.#buffers.attended, 0, this.#attendedBytes());
  }

  #attendedLogSumExp(write: boolean): void {
    this.#builder.operand(Role.logSumExp, write, this.#buffers.attendedLogSumExp[0], 0, this.#logSumExpBytes());
  }

  /** A partial result: all outputs, then all log-sum-exps. */
  #partial(role: number, write: boolean, buffer: number): void {
    this.#builder.operand(role, write, buffer, 0, this.#attendedBytes());
  }

  #partialLogSumExp(write: boolean, buffer: number): void {
    this.#builder.operand(Role.logSumExp, write, buffer, this.#attendedBytes(), this.#logSumExpBytes());
  }

  /** Where the new token's K and V go for this step's attention: behind the resident tokens or behind the staged ones. */
  #newToken(write: boolean, place: OperandPlace, context: number): void {
    if (this.#request.schedule.home === 'resident') {
      this.#planes(Role.cache, write, this.#buffers.residentKv[place.cache], context, context + 1);
    } else {
      const { transferredEnd } = place.range;
      this.#planes(Role.cache, write, this.#staged(place), transferredEnd, transferredEnd + 1);
    }
  }

  /** The slot of staged KV as a cache in which the first token that is not resident comes first. */
  #staged(place: OperandPlace): Cache {
    const { stagedKv, stagedTokens } = this.#buffers;
    return { buffer: stagedKv[place.staged], base: place.range.residentEnd, capacity: stagedTokens };
  }

  #newKv(scratch: number): Cache {
    return { buffer: this.#buffers.newKv[scratch], base: 0, capacity: 1 };
  }

  /** Positions from..to of every plane of a cache. */
  #planes(role: number, write: boolean, cache: Cache, from: number, to: number): void {
    const { planes } = this.#work.extent;
    const row = this.#work.tokenKv / planes;
    const offset = (from - cache.base) * row;
    this.#builder.operand(role, write, cache.buffer, offset, (to - from) * row, planes, cache.capacity * row);
  }

  /** Positions from..to of one plane of a cache, to write. */
  #plane(role: number, cache: Cache, plane: number, from: number, to: number): void {
    const row = this.#work.tokenKv / this.#work.extent.planes;
    const offset = (plane * cache.capacity + from - cache.base) * row;
    this.#builder.operand(role, true, cache.buffer, offset, (to - from) * row);
  }

  #normWeights(place: OperandPlace, i: number): void {
    const norm = this.#layouts[place.layer].norms[i];
    if (norm) this.#linear(this.#buffers.restOfWeights[place.weights], norm);
  }

  #rest(place: OperandPlace, role: number, part: WeightPart): void {
    this.#weight(role, this.#buffers.restOfWeights[place.weights], part);
  }

  #endWeight(role: number, part: WeightPart): void {
    this.#weight(role, this.#buffers.endWeights, part);
  }

  #linear(buffer: number, { weight, bias }: Linear): void {
    this.#weight(Role.weight, buffer, weight);
    if (bias) this.#weight(Role.bias, buffer, bias);
  }

  #weight(role: number, buffer: number, { offset, elements }: WeightPart): void {
    const size = this.#work.size.weights;
    this.#builder.operand(role, false, buffer, offset * size, elements * size);
  }

  #wholeKvProjection({ layer, weights }: OperandPlace): void {
    const { kvProjection } = this.#work.weights[layer];
    this.#builder.operand(Role.weight, false, this.#buffers.kvProjection[weights], 0, kvProjection);
  }

  #wholeWeights(place: OperandPlace): void {
    const { rest, restUsed } = this.#work.weights[place.layer];
    const bytes = this.#request.placement.weights === 'host' ? restUsed : rest;
    this.#wholeKvProjection(place);
    this.#builder.operand(Role.weight, false, this.#buffers.restOfWeights[place.weights], 0, bytes);
  }
}
