import { setImmediate } from 'node:timers/promises';
import { PlanBuilder } from '../sim/plan/builder.ts';
import { type Buffer, Group, Kind, type Plan, Role, Stream } from '../sim/plan/plan.ts';
import { WorkBuilder } from '../sim/plan/work-builder.ts';
import type { DecodePlan } from '../sim/schedule/decode.ts';
import type { Cache } from '../sim/schedule/decode-buffers.ts';
import type { DecodeRequest } from '../sim/schedule/decode-request.ts';
import { LayerWork } from '../sim/schedule/layer-work.ts';
import { elementBytes } from '../sim/schedule/sizes.ts';
import {
  endLayout,
  type LayerLayout,
  type Linear,
  layerLayout,
  type WeightPart,
} from '../sim/schedule/weight-layout.ts';
import type { Fill, FloatType, NativeSession } from './native.ts';

// What the steps of a decode find in memory: random weights, and the X of each cached token with the K and V that belong to it. All of it
// depends on the seed and on what it is alone, never on where a plan keeps it.

/** Bytes of activations that initialisation projects at a time. */
const CHUNK_BYTES = 16 * 2 ** 20;

/** Elements drawn at a time, which takes a moment: Ctrl-C is heard between them. */
const ELEMENTS_AT_ONCE = 2 ** 23;

/** Buffers that initialisation works in: some tokens' X, and their K and V as a cache. */
export interface Scratch {
  activations: number;
  kv: number;
  tokens: number;
}

interface Sizes {
  type: FloatType;
  elementBytes: number;
  /** Of one token of every sequence: elements of X, bytes of K (or V). */
  activationElements: number;
  planeBytes: number;
}

function sizesOf({ shape, batch, precision }: DecodeRequest): Sizes {
  const { activations } = elementBytes(precision);
  return {
    type: precision.activations as FloatType,
    elementBytes: activations,
    activationElements: batch * shape.hidden,
    planeBytes: batch * shape.kvHeads * shape.headDim * activations,
  };
}

/** What to allocate behind a decode's own buffers, and where it then is. */
export function scratchFor({ plan, request }: DecodePlan): { buffers: Buffer[]; scratch: Scratch } {
  const { activationElements, elementBytes, planeBytes } = sizesOf(request);
  const tokenBytes = activationElements * elementBytes;
  const tokens = Math.max(1, Math.min(request.contexts[0], Math.floor(CHUNK_BYTES / tokenBytes)));
  const buffer = (name: string, bytes: number): Buffer => ({ name, pool: 'gpu', bytes, persistent: false });
  return {
    buffers: [buffer('initial-activations', tokens * tokenBytes), buffer('initial-kv', tokens * 2 * planeBytes)],
    scratch: { activations: plan.buffers.length, kv: plan.buffers.length + 1, tokens },
  };
}

/** The X of some cached tokens of a layer and micro-batch. */
export function activationsFill(
  request: DecodeRequest,
  seed: number,
  target: { buffer: number; offsetBytes: number },
  { layer, microBatch, first, tokens }: { layer: number; microBatch: number; first: number; tokens: number },
): Fill {
  const { type, activationElements } = sizesOf(request);
  return {
    ...target,
    count: tokens * activationElements,
    type,
    seed: seedOf(seed, layer, FIRST_ACTIVATION_PART + microBatch),
    firstIndex: first * activationElements,
    scale: 1,
    shift: 0,
  };
}

/** Gives the persistent buffers of decodes over the same buffers their contents: those that several use, once. Rejects where the signal ends it. */
export async function initialise(
  session: NativeSession,
  decodes: readonly DecodePlan[],
  scratch: Scratch,
  seed: number,
  signal?: AbortSignal,
): Promise<void> {
  const done = new Set<number>();
  for (const decode of decodes) await new Initialiser(session, decode, scratch, seed, done, signal).run();
}

/** Parts of a layer that have seeds of their own: tensors from 0 on, then each micro-batch's activations. */
const FIRST_ACTIVATION_PART = 2 ** 15;

function seedOf(seed: number, layer: number, part: number): number {
  return (seed * 2 ** 16 + layer) * 2 ** 16 + part;
}

class Initialiser {
  readonly #session: NativeSession;
  readonly #decode: DecodePlan;
  readonly #scratch: Scratch;
  readonly #seed: number;
  readonly #done: Set<number>;
  readonly #signal: AbortSignal | undefined;
  readonly #sizes: Sizes;
  readonly #offloaded: boolean;

  readonly #fills: Fill[] = [];

  constructor(
    session: NativeSession,
    decode: DecodePlan,
    scratch: Scratch,
    seed: number,
    done: Set<number>,
    signal: AbortSignal | undefined,
  ) {
    this.#session = session;
    this.#decode = decode;
    this.#scratch = scratch;
    this.#seed = seed;
    this.#done = done;
    this.#signal = signal;
    this.#sizes = sizesOf(decode.request);
    this.#offloaded = decode.request.placement.weights === 'host';
  }

  async run(): Promise<void> {
    const { shape, microBatches } = this.#decode.request;
    const { residentKv, hostKv, hostActivations } = this.#decode.buffers;
    this.#fillEndWeights();
    for (let layer = 0; layer < shape.layers; layer++) {
      const layout = layerLayout(shape, layer);
      this.#fillLayer(layer, layout);
      const caches = Array.from({ length: microBatches }, (_, microBatch) => {
        const at = layer * microBatches + microBatch;
        this.#fillActivations(layer, microBatch, hostActivations[at]);
        return [residentKv[at], hostKv[at]]
          .filter((cache) => this.#isNew(cache.buffer))
          .map((cache) => ({ microBatch, cache }));
      }).flat();
      await this.#draw();
      if (caches.length > 0 && this.#offloaded) this.#bringWeights(layer, layout);
      for (const { microBatch, cache } of caches) await this.#projectCache(layer, microBatch, layout, cache);
    }
  }

  /** Draws what was asked for, without holding the thread for long. */
  async #draw(): Promise<void> {
    for (const fill of this.#fills.splice(0)) {
      for (let first = 0; first < fill.count; first += ELEMENTS_AT_ONCE) {
        this.#session.fill({
          ...fill,
          offsetBytes: fill.offsetBytes + first * this.#sizes.elementBytes,
          firstIndex: fill.firstIndex + first,
          count: Math.min(ELEMENTS_AT_ONCE, fill.count - first),
        });
        await setImmediate();
        this.#signal?.throwIfAborted();
      }
    }
  }

  /** Whether nobody has filled the buffer yet; caches that hold nothing have none. */
  #isNew(buffer: number): boolean {
    const isNew = buffer >= 0 && !this.#done.has(buffer);
    this.#done.add(buffer);
    return isNew;
  }

  #fillEndWeights(): void {
    const { shape } = this.#decode.request;
    const { endWeights } = this.#decode.buffers;
    if (!this.#isNew(endWeights)) return;
    const { embedding, positions, finalNorm, head } = endLayout(shape);
    const fill = this.#tensorFiller(shape.layers);
    fill(endWeights, embedding, 1);
    if (positions) fill(endWeights, positions, 1);
    fillNorm(fill, endWeights, finalNorm);
    if (head !== embedding) fill(endWeights, head, 1 / Math.sqrt(shape.hidden));
  }

  #fillLayer(layer: number, layout: LayerLayout): void {
    const { shape } = this.#decode.request;
    const { kvProjection, rest } = this.#homeOfWeights(layer);
    const { keys, values, query, out, norms, queryNorm, keyNorm, up = [], down } = layout;
    // Both or none: a plan has them together.
    if (!this.#isNew(kvProjection)) return;
    const fill = this.#tensorFiller(layer);
    const linear = (buffer: number, tensors: Linear | undefined, inputs: number) => {
      if (!tensors) return;
      fill(buffer, tensors.weight, 1 / Math.sqrt(inputs));
      if (tensors.bias) fill(buffer, tensors.bias, BIAS_SCALE);
    };
    linear(kvProjection, keys, shape.hidden);
    linear(kvProjection, values, shape.hidden);
    linear(rest, query, shape.hidden);
    linear(rest, out, shape.heads * shape.headDim);
    for (const panel of up) linear(rest, panel, shape.hidden);
    linear(rest, down, shape.ffn);
    for (const norm of [...norms, queryNorm, keyNorm]) if (norm) fillNorm(fill, rest, norm);
  }

  #homeOfWeights(layer: number): { kvProjection: number; rest: number } {
    const { kvProjection, restOfWeights, hostKvProjection, hostRestOfWeights } = this.#decode.buffers;
    if (this.#offloaded) return { kvProjection: hostKvProjection[layer], rest: hostRestOfWeights[layer] };
    return { kvProjection: kvProjection[layer], rest: restOfWeights[layer] };
  }

  /** Where kernels read a layer's weights: offloaded ones in the first slot. */
  #weightsAtHand(layer: number): { kvProjection: number; rest: number } {
    const { kvProjection, restOfWeights } = this.#decode.buffers;
    const at = this.#offloaded ? 0 : layer;
    return { kvProjection: kvProjection[at], rest: restOfWeights[at] };
  }

  /** Fills tensors one after another, each with a seed of its own. */
  #tensorFiller(layer: number): FillTensor {
    let part = 0;
    return (buffer, { offset, elements }, scale, shift = 0) => {
      this.#fills.push({
        buffer,
        offsetBytes: offset * this.#sizes.elementBytes,
        count: elements,
        type: this.#sizes.type,
        seed: seedOf(this.#seed, layer, part++),
        firstIndex: 0,
        scale,
        shift,
      });
    };
  }

  #fillActivations(layer: number, microBatch: number, cache: Cache): void {
    const tokens = this.#cachedTokens(cache);
    if (!this.#isNew(cache.buffer) || tokens === 0) return;
    const place = { layer, microBatch, first: cache.base, tokens };
    const target = { buffer: cache.buffer, offsetBytes: 0 };
    this.#fills.push(activationsFill(this.#decode.request, this.#seed, target, place));
  }

  /** Tokens of a cache that are there before the first step. */
  #cachedTokens({ base, capacity }: Cache): number {
    return Math.max(0, Math.min(base + capacity, this.#decode.request.contexts[0]) - base);
  }

  /** What projecting keys and values takes, from the host into the first slot. */
  #bringWeights(layer: number, { keyNorm }: LayerLayout): void {
    const from = this.#homeOfWeights(layer);
    const to = this.#weightsAtHand(layer);
    const bring = (source: number, target: number, offset: number, bytes: number) =>
      this.#session.write(target, offset, this.#session.read(source, offset, bytes));
    bring(from.kvProjection, to.kvProjection, 0, this.#decode.plan.buffers[from.kvProjection].bytes);
    if (keyNorm) {
      const { offset, elements } = keyNorm.weight;
      bring(from.rest, to.rest, offset * this.#sizes.elementBytes, elements * this.#sizes.elementBytes);
    }
  }

  async #projectCache(layer: number, microBatch: number, layout: LayerLayout, cache: Cache): Promise<void> {
    const end = cache.base + this.#cachedTokens(cache);
    for (let first = cache.base; first < end; first += this.#scratch.tokens) {
      const place = { layer, microBatch, first, tokens: Math.min(this.#scratch.tokens, end - first) };
      const target = { buffer: this.#scratch.activations, offsetBytes: 0 };
      this.#session.fill(activationsFill(this.#decode.request, this.#seed, target, place));
      this.#signal?.throwIfAborted();
      await this.#session.execute(this.#projection(place, layout, cache));
    }
  }

  /** A plan that makes keys and values of the activations in the scratch buffer, by the decode's own kernels, and puts them into a cache. */
  #projection(
    { layer, microBatch, first, tokens }: { layer: number; microBatch: number; first: number; tokens: number },
    layout: LayerLayout,
    cache: Cache,
  ): Plan {
    const { shape, batch, precision } = this.#decode.request;
    const { buffers, model } = this.#decode.plan;
    const { planeBytes, activationElements, elementBytes } = this.#sizes;
    const onHost = buffers[cache.buffer].pool !== 'gpu';
    const made = onHost ? { buffer: this.#scratch.kv, base: first, capacity: this.#scratch.tokens } : cache;
    const builder = new PlanBuilder();
    const works = new WorkBuilder();
    const layerWork = new LayerWork(works, shape, batch, precision);
    const weights = this.#weightsAtHand(layer);
    const weight = (role: number, buffer: number, { offset, elements }: WeightPart) =>
      builder.operand(role, false, buffer, offset * elementBytes, elements * elementBytes);
    const plane = (role: number, index: number) =>
      builder.operand(
        role,
        true,
        made.buffer,
        (index * made.capacity + first - made.base) * planeBytes,
        tokens * planeBytes,
      );
    const operation = (stream: number, work: number) =>
      builder.operation(stream, Group.recompute, layer, 0, microBatch, work, first);

    let last = operation(Stream.compute, layerWork.recompute(tokens));
    builder.reads(this.#scratch.activations, 0, tokens * activationElements * elementBytes);
    for (const [index, linear] of [layout.keys, layout.values].entries()) {
      if (!linear) continue;
      weight(Role.weight, weights.kvProjection, linear.weight);
      if (linear.bias) weight(Role.bias, weights.kvProjection, linear.bias);
      plane(Role.output, index);
    }
    if (layout.keyNorm) {
      last = operation(Stream.compute, layerWork.recomputedKeys(Kind.norm, tokens));
      weight(Role.weight, weights.rest, layout.keyNorm.weight);
      plane(Role.update, 0);
    }
    if (shape.rotary) {
      last = operation(Stream.compute, layerWork.recomputedKeys(Kind.rope, tokens));
      plane(Role.update, 0);
    }
    if (onHost) {
      operation(Stream.d2h, layerWork.copy(Kind.copyD2h, 2, tokens * planeBytes));
      builder.after(last);
      builder.reads(made.buffer, 0, tokens * planeBytes, 2, made.capacity * planeBytes);
      builder.writes(
        cache.buffer,
        (first - cache.base) * planeBytes,
        tokens * planeBytes,
        2,
        cache.capacity * planeBytes,
      );
    }
    const extent = { layers: 1, steps: 1, microBatches: 1 };
    return { ...builder.build(works.build(), model, extent), buffers };
  }
}

type FillTensor = (buffer: number, part: WeightPart, scale: number, shift?: number) => void;

const BIAS_SCALE = 0.1;
const NORM_SCALE = 0.1;

/** Scales about 1. */
function fillNorm(fill: FillTensor, buffer: number, { weight, bias }: Linear): void {
  fill(buffer, weight, NORM_SCALE, 1);
  if (bias) fill(buffer, bias, BIAS_SCALE);
}
