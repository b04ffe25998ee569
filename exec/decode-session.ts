import { bytesPerElement, type Plan } from '../sim/plan/plan.ts';
import type { DecodePlan } from '../sim/schedule/decode.ts';
import type { Cache } from '../sim/schedule/decode-buffers.ts';
import { activationsFill, initialise, type Scratch, scratchFor } from './initialise.ts';
import {
  type DeviceInfo,
  type DeviceOptions,
  type ExecuteOptions,
  type Execution,
  type NativeSession,
  native,
} from './native.ts';

export interface SessionOptions {
  /** Of weights and activations, which are the same in every session with this seed, whatever the schedule. */
  seed?: number | undefined;
  /** Ends the filling of buffers. */
  signal?: AbortSignal | undefined;
}

export interface RunOptions extends ExecuteOptions {
  /** Cancels the execution. */
  signal?: AbortSignal | undefined;
}

const SEED = 1;

/** A part of a buffer, bytes. */
interface Part {
  buffer: number;
  offset: number;
  bytes: number;
}

/** Decode plans over the same buffers on a device, with weights and caches in them, to be executed again and again. */
export class DecodeSession {
  readonly #native: NativeSession;
  readonly #buffers: Plan['buffers'];
  readonly #scratch: Scratch;
  readonly #seed: number;

  private constructor(session: NativeSession, buffers: Plan['buffers'], scratch: Scratch, seed: number) {
    this.#native = session;
    this.#buffers = buffers;
    this.#scratch = scratch;
    this.#seed = seed;
  }

  /**
   * Allocates and fills the buffers that the decodes share (`withSharedBuffers`); one decode has its own. All must begin at the same context.
   *
   * @throws as Native.open and NativeSession.execute do, and the signal's reason
   */
  static async open(
    decodes: readonly DecodePlan[],
    device: DeviceOptions,
    { seed = SEED, signal }: SessionOptions = {},
  ): Promise<DecodeSession> {
    const [first] = decodes;
    const beginnings = [...new Set(decodes.map(({ request }) => request.contexts[0]))];
    if (beginnings.length !== 1) {
      throw new Error(`decodes that share caches begin at one context, found ${beginnings.join(', ') || 'no decode'}`);
    }
    const more = scratchFor(first);
    const buffers = [...first.plan.buffers, ...more.buffers];
    const opened = native().open({ ...first.plan, buffers }, device);
    const cancel = () => opened.cancel();
    signal?.addEventListener('abort', cancel);
    try {
      const over = decodes.map((decode) => ({ ...decode, plan: { ...decode.plan, buffers } }));
      await initialise(opened, over, more.scratch, seed, signal);
    } catch (error) {
      opened.close();
      throw error;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
    return new DecodeSession(opened, buffers, more.scratch, seed);
  }

  get info(): DeviceInfo {
    return this.#native.info;
  }

  /** Executes one of the decodes. Whatever it must make itself is NaN before. */
  async run(decode: DecodePlan, { signal, ...options }: RunOptions = {}): Promise<Execution> {
    signal?.throwIfAborted();
    for (const { buffer, offset, bytes } of this.#madeByRunning(decode)) this.#native.poison(buffer, offset, bytes);
    const cancel = () => this.#native.cancel();
    signal?.addEventListener('abort', cancel);
    try {
      return await this.#native.execute({ ...decode.plan, buffers: this.#buffers }, options);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  read(buffer: number, offsetBytes: number, bytes: number): Uint8Array {
    return this.#native.read(buffer, offsetBytes, bytes);
  }

  /** The normalised inputs X of a layer's cached tokens, from which its caches were made: token × batch × hidden. */
  cachedActivations({ request }: DecodePlan, layer: number, microBatch: number): Uint8Array {
    const { shape, batch, contexts, precision } = request;
    const tokenBytes = batch * shape.hidden * bytesPerElement(precision.activations);
    const result = new Uint8Array(contexts[0] * tokenBytes);
    const target = { buffer: this.#scratch.activations, offsetBytes: 0 };
    for (let first = 0; first < contexts[0]; first += this.#scratch.tokens) {
      const tokens = Math.min(this.#scratch.tokens, contexts[0] - first);
      this.#native.fill(activationsFill(request, this.#seed, target, { layer, microBatch, first, tokens }));
      result.set(this.#native.read(target.buffer, 0, tokens * tokenBytes), first * tokenBytes);
    }
    return result;
  }

  close(): void {
    this.#native.close();
  }

  /** Everything that lives within an execution, and the generated tokens in the caches. */
  #madeByRunning({ plan, request, buffers }: DecodePlan): Part[] {
    const { shape, batch, contexts, precision } = request;
    const size = bytesPerElement(precision.activations);
    const plane = batch * shape.kvHeads * shape.headDim * size;
    const generated = (caches: readonly Cache[], planes: number, tokenBytes: number) =>
      caches.flatMap(({ buffer, base, capacity }) => {
        const from = Math.max(0, contexts[0] - base);
        return Array.from({ length: planes }, (_, index) => ({
          buffer,
          offset: (index * capacity + from) * tokenBytes,
          bytes: (capacity - from) * tokenBytes,
        }));
      });
    return [
      ...whole(plan),
      ...generated(buffers.residentKv, 2, plane),
      ...generated(buffers.hostKv, 2, plane),
      ...generated(buffers.hostActivations, 1, batch * shape.hidden * size),
    ].filter(({ bytes }) => bytes > 0);
  }
}

/** The buffers of a plan that hold nothing before it; others that share a session's buffers may have more. */
function whole({ buffers, operands }: Plan): Part[] {
  const used = new Set(operands.buffer);
  return buffers.flatMap(({ persistent, bytes }, buffer) =>
    persistent || !used.has(buffer) ? [] : [{ buffer, offset: 0, bytes }],
  );
}
