import type { DecodeSession } from '../../exec/decode-session.ts';
import { widened } from '../../exec/half.ts';
import type { DeviceOptions, FloatType } from '../../exec/native.ts';
import type { Reference } from '../../exec/reference.ts';
import { Group, Kind, Role } from '../../sim/plan/plan.ts';
import { decodeRequest } from '../../sim/planner/decode-setup.ts';
import { scheduleNamed } from '../../sim/schedule/catalogue.ts';
import { type DecodePlan, decodePlan } from '../../sim/schedule/decode.ts';
import type { Cache } from '../../sim/schedule/decode-buffers.ts';
import type { ScheduleName } from '../../sim/schedule/names.ts';
import type { StepSplit } from '../../sim/schedule/token-ranges.ts';
import { IDEAL_MACHINE, scenarioOf, stepsOf } from '../sim/schedule/scenarios.ts';

const SMALL = { layers: 3, hidden: 32, heads: 4, headDim: 8, ffn: 48, vocab: 40 };

/** Small models of the kinds that can be executed. */
export const MODELS = {
  opt: {
    ...SMALL,
    gated: false,
    rotary: false,
    // Fewer than the context: later positions begin anew.
    learnedPositions: 13,
    norm: 'layer',
    bias: { qkv: true, out: true, ffn: true },
    tiedEmbeddings: true,
  },
  // Narrower than its heads together, so that X is less than K and V in spite of shared heads.
  llama: { ...SMALL, hidden: 24, kvHeads: 2 },
  qwen3: { ...SMALL, heads: 6, kvHeads: 2, qkNorm: true },
  windowed: { ...SMALL, kvHeads: 1, window: { size: 5, every: 3 }, bias: { qkv: true } },
} as const;
export type ModelName = keyof typeof MODELS;

/** On which the best splits are neither nothing nor everything. */
const MACHINE = {
  ...IDEAL_MACHINE,
  gpu: { ...IDEAL_MACHINE.gpu, matmul: '0.0005 TFLOP/s' },
  link: { h2d: '0.01 GB/s', d2h: '0.01 GB/s' },
};

export const WORKLOAD = { batch: 2, promptTokens: 12, generatedTokens: 4, microBatches: 2 };

export interface DecodeOptions {
  model?: object;
  precision?: FloatType;
  weights?: 'gpu' | 'host';
  split?: 'auto' | Record<string, number | string>;
  /** Instead of `split`: how each step splits the tokens of each group of layers. */
  splits?: readonly StepSplit[];
  workload?: object;
}

export const DEVICE: DeviceOptions = { backend: 'cpu', hostThreads: 1 };

/** How far 16-bit numbers and sums in another order may be from float64, in `distance`: a few times what is seen. */
export const TOLERANCE: Record<FloatType, number> = { fp32: 1e-5, fp16: 1.2e-2, bf16: 1e-1 };

export function decodeOf(name: ScheduleName, options: DecodeOptions = {}): DecodePlan {
  const { model = MODELS.llama, precision = 'fp32', split = 'auto', splits } = options;
  const schedule = scheduleNamed(name);
  const weights = schedule.weights ?? options.weights ?? 'gpu';
  const scenario = scenarioOf({
    model,
    machine: MACHINE,
    workload: { ...WORKLOAD, ...options.workload },
    precision: { weights: precision, kv: precision, activations: precision },
    placement: { weights },
    split,
  });
  const steps = stepsOf(scenario, schedule);
  return decodePlan(decodeRequest(scenario, schedule, splits ? { ...steps, splits } : steps));
}

/** Numbers of an execution to compare, by names that say what they are, with what the reference says. */
export type Observations = Map<string, Float64Array>;

interface Observed {
  name: string;
  operation: number;
  operand: number;
  type: FloatType;
}

/** Executes a decode and keeps what every block made of every token: inputs, keys, values, attention's outputs, hidden states and logits. */
export async function execute(session: DecodeSession, decode: DecodePlan): Promise<Observations> {
  const watched = watch(decode);
  const { captures } = await session.run(decode, { captures: watched });
  const observed: Observations = new Map(watched.map(({ name, type }, i) => [name, widened(captures[i], type)]));
  for (const [name, values] of cachesOf(session, decode)) observed.set(name, values);
  return observed;
}

/** Operands that hold something that the reference knows; later ones of a name take the place of earlier ones. */
function watch({ plan, request, buffers }: DecodePlan): Observed[] {
  const found = new Map<string, Observed>();
  const type = request.precision.activations as FloatType;
  const { start, role, buffer } = plan.operands;
  for (let i = 0; i < plan.count; i++) {
    const place = `step ${plan.step[i]} layer ${plan.layer[i]} micro-batch ${plan.microBatch[i]}`;
    const keep = (what: string, operand: number, as = type) => {
      const name = `${what} of ${place}`;
      found.set(name, { name, operation: i, operand: operand - start[i], type: as });
    };
    const kind = plan.works.kind[plan.work[i]];
    const last = start[i + 1] - 1;
    if (kind === Kind.append) {
      keep('keys', start[i]);
      keep('values', start[i] + 1);
    }
    if (kind === Kind.gemm && plan.group[i] === Group.head) keep('logits', last, 'fp32');
    for (let o = start[i]; o <= last; o++) {
      if (buffer[o] === buffers.attended && role[o] !== Role.input) keep('attended', o);
      if (buffers.hidden.includes(buffer[o]) && role[o] === Role.update) keep('hidden', o);
      if (buffers.newActivation.includes(buffer[o]) && role[o] === Role.output) keep('x', o);
    }
  }
  return [...found.values()];
}

/** The host's caches: what was there before the first step, and what the steps stored. */
function cachesOf(session: DecodeSession, { plan, request, buffers }: DecodePlan): Observations {
  const { shape, batch, microBatches, contexts, precision } = request;
  const type = precision.activations as FloatType;
  const size = type === 'fp32' ? 4 : 2;
  const observed: Observations = new Map();
  const stored = new Set<string>();
  for (let i = 0; i < plan.count; i++) {
    if (plan.group[i] !== Group.store) continue;
    stored.add(`${plan.operands.buffer[plan.operands.start[i] + 1]} ${plan.token[i]}`);
  }
  const observe = (caches: readonly Cache[], planes: readonly string[], width: number) => {
    const tokenBytes = batch * width * size;
    caches.forEach(({ buffer, base, capacity }, at) => {
      for (let position = base; position < base + capacity; position++) {
        if (position >= contexts[0] && !stored.has(`${buffer} ${position}`)) continue;
        planes.forEach((plane, p) => {
          const bytes = session.read(buffer, (p * capacity + position - base) * tokenBytes, tokenBytes);
          const place = `position ${position} layer ${Math.floor(at / microBatches)} micro-batch ${at % microBatches}`;
          observed.set(`cached ${plane} of ${place}`, widened(bytes, type));
        });
      }
    });
  };
  observe(buffers.hostKv, ['keys', 'values'], shape.kvHeads * shape.headDim);
  observe(buffers.hostActivations, ['x'], shape.hidden);
  return observed;
}

/** The same names for what the reference computed, and for everything that a cache may hold. */
export function expectedOf(reference: Reference, decode: DecodePlan, cached: Float64Array[][]): Observations {
  const { shape, batch, microBatches, contexts } = decode.request;
  const expected: Observations = new Map();
  const kv = batch * shape.kvHeads * shape.headDim;
  const row = (rows: Float64Array, at: number, width: number) => rows.subarray(at * width, (at + 1) * width);
  for (let j = 0; j < microBatches; j++) {
    for (let layer = 0; layer < shape.layers; layer++) {
      for (let position = 0; position < contexts[0] + contexts.length; position++) {
        const place = `position ${position} layer ${layer} micro-batch ${j}`;
        expected.set(`cached keys of ${place}`, row(reference.keys[layer][j], position, kv));
        expected.set(`cached values of ${place}`, row(reference.values[layer][j], position, kv));
        const step = position - contexts[0];
        const x = step < 0 ? row(cached[layer][j], position, batch * shape.hidden) : reference.blocks[step][layer][j].x;
        expected.set(`cached x of ${place}`, x);
      }
    }
    contexts.forEach((context, step) => {
      for (let layer = 0; layer < shape.layers; layer++) {
        const place = `step ${step} layer ${layer} micro-batch ${j}`;
        const { x, attended, hidden } = reference.blocks[step][layer][j];
        expected.set(`x of ${place}`, x);
        expected.set(`attended of ${place}`, attended);
        expected.set(`hidden of ${place}`, hidden);
        expected.set(`keys of ${place}`, row(reference.keys[layer][j], context, kv));
        expected.set(`values of ${place}`, row(reference.values[layer][j], context, kv));
      }
      const last = shape.layers - 1;
      expected.set(`logits of step ${step} layer ${last} micro-batch ${j}`, reference.logits[step][j]);
    });
  }
  return expected;
}

/** The largest difference relative to the root mean square of what is expected; infinite where a number is none. */
export function distance(found: Float64Array, expected: Float64Array): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  const square = expected.reduce((sum, value) => sum + value * value, 0) / expected.length;
  const largest = found.reduce((most, value, i) => {
    const difference = Math.abs(value - expected[i]);
    return difference <= most ? most : Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }, 0);
  return largest / Math.sqrt(square);
}

/** The name of what is farthest from what is expected, and how far. Everything observed must be expected. */
export function farthest(observed: Observations, expected: Observations): { name: string; distance: number } {
  let worst = { name: 'nothing', distance: observed.size > 0 ? 0 : Number.POSITIVE_INFINITY };
  for (const [name, values] of observed) {
    const other = expected.get(name);
    const far = other ? distance(values, other) : Number.POSITIVE_INFINITY;
    if (far > worst.distance) worst = { name, distance: far };
  }
  return worst;
}
