import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DecodeSession } from '../../exec/decode-session.ts';
import { widened } from '../../exec/half.ts';
import { referenceRequest } from '../../exec/model-tensors.ts';
import { type FloatType, native } from '../../exec/native.ts';
import { referenceDecode } from '../../exec/reference.ts';
import { GROUPS, Kind, Role, STREAMS } from '../../sim/plan/plan.ts';
import { scheduleNamed } from '../../sim/schedule/catalogue.ts';
import type { DecodePlan } from '../../sim/schedule/decode.ts';
import { layerGroups } from '../../sim/schedule/layer-groups.ts';
import { SCHEDULES, type ScheduleName } from '../../sim/schedule/names.ts';
import { NO_TOKENS, type SplitTokens } from '../../sim/schedule/split-tokens.ts';
import { attendedBy, type StepSplit } from '../../sim/schedule/token-ranges.ts';
import {
  DEVICE,
  type DecodeOptions,
  decodeOf,
  distance,
  execute,
  expectedOf,
  farthest,
  MODELS,
  type ModelName,
  type Observations,
  TOLERANCE,
  WORKLOAD,
} from './decodes.ts';
import { describeNative } from './native/available.ts';
import { withoutCopy } from './without-copy.ts';

type Split = NonNullable<DecodeOptions['split']>;

const RECOMPUTING: Split[] = [
  { recomputed: 0 },
  { recomputed: 7 },
  { recomputed: '100%' },
  { resident: 3, recomputed: 4 },
  'auto',
];
const SPLITS: Record<ScheduleName, Split[]> = {
  resident: [{}],
  transfer: [{}, { resident: 5 }, { resident: '100%' }],
  'transfer-prefetch': [{}, { resident: 5 }],
  'kvpr-row': RECOMPUTING,
  'kvpr-column': RECOMPUTING,
  'kvpr-pipelined': RECOMPUTING,
  activation: [{}, { resident: 4 }],
  'host-attention': [{}, { resident: 4 }],
};

const PRECISIONS_TRIED: FloatType[] = ['fp32', 'fp16', 'bf16'];

/** Opens a session for one decode alone and observes an execution. */
async function observe(decode: DecodePlan, device = DEVICE): Promise<Observations> {
  const session = await DecodeSession.open([decode], device);
  try {
    return await execute(session, decode);
  } finally {
    session.close();
  }
}

/** What the reference says of a decode, from weights and activations as a session of its own draws them. */
async function expected(decode: DecodePlan): Promise<Observations> {
  const session = await DecodeSession.open([decode], DEVICE);
  try {
    const request = referenceRequest(session, decode);
    return expectedOf(referenceDecode(request), decode, request.cached);
  } finally {
    session.close();
  }
}

/** One reference serves all schedules, splits and homes of weights: what they compute is the same. */
const references = new Map<string, Promise<Observations>>();
function expectedFor(model: ModelName, precision: FloatType): Promise<Observations> {
  const key = `${model} ${precision}`;
  const known = references.get(key) ?? expected(decodeOf('activation', { model: MODELS[model], precision }));
  references.set(key, known);
  return known;
}

/** Homes of the weights under which a schedule makes sense. */
function weightsFor(name: ScheduleName): ('gpu' | 'host')[] {
  const { weights } = scheduleNamed(name);
  return weights ? [weights] : ['gpu', 'host'];
}

for (const model of Object.keys(MODELS) as ModelName[]) {
  describeNative(`an executed decode of a model like ${model}`, () => {
    it.each(SCHEDULES)(
      'agrees with float64 under %s, whatever the split, the precision and the home of the weights',
      async (name) => {
        for (const precision of PRECISIONS_TRIED) {
          const reference = await expectedFor(model, precision);
          for (const split of SPLITS[name]) {
            for (const weights of weightsFor(name)) {
              const observed = await observe(decodeOf(name, { model: MODELS[model], precision, split, weights }));
              const worst = farthest(observed, reference);
              const what = `${worst.name} at ${precision}, ${JSON.stringify(split)}, weights on the ${weights}`;
              expect(worst.distance, what).toBeLessThan(TOLERANCE[precision]);
            }
          }
        }
      },
    );

    it('is the same under all schedules', async () => {
      const [first, ...others] = await Promise.all(
        SCHEDULES.map((name) => observe(decodeOf(name, { model: MODELS[model], split: SPLITS[name][1] ?? {} }))),
      );
      // Caches differ: each schedule keeps its own.
      const ofBlocks = (all: Observations): Observations =>
        new Map([...all].filter(([name]) => !name.startsWith('cached')));
      for (const [i, other] of others.entries()) {
        const worst = farthest(ofBlocks(other), ofBlocks(first));
        expect(worst.distance, `${worst.name} under ${SCHEDULES[i + 1]}`).toBeLessThan(TOLERANCE.fp32);
      }
    });
  });
}

describeNative('an executed decode', () => {
  it('is tried with splits that the planner changes from step to step', () => {
    const { splits } = decodeOf('kvpr-row', { model: MODELS.opt, split: 'auto' }).request;
    const recomputed = splits.map(([split]) => split.recomputed);
    expect(new Set(recomputed).size).toBeGreaterThan(1);
    expect(Math.min(...recomputed)).toBeGreaterThan(0);
    expect(Math.max(...recomputed)).toBeLessThan(WORKLOAD.promptTokens);
  });

  it.each(PRECISIONS_TRIED)(
    'recomputes the keys and values that it would have transferred, at %s',
    async (precision) => {
      for (const model of Object.keys(MODELS) as ModelName[]) {
        const options = { model: MODELS[model], precision, split: {} };
        const recomputed = await stagedCaches(decodeOf('activation', options));
        const transferred = await stagedCaches(decodeOf('transfer', options));
        expect([...recomputed.keys()]).toEqual([...transferred.keys()]);
        const worst = farthest(recomputed, transferred);
        expect(worst.distance, `${worst.name} of ${model}`).toBeLessThan(TOLERANCE[precision]);
      }
    },
  );

  it('agrees with float64 for random shapes, schedules and mixes of all four ways', async () => {
    await fc.assert(
      fc.asyncProperty(randomCases, async (random) => {
        const decode = mixedDecode(random);
        const worst = farthest(await observe(decode), await expected(decode));
        expect(worst.distance, worst.name).toBeLessThan(TOLERANCE.fp32);
      }),
      { numRuns: 60, examples: ONCE_WRONG.map((random): [RandomCase] => [random]) },
    );
  });

  it('gives the same beside another session as alone', async () => {
    const decodes = [
      decodeOf('kvpr-pipelined', { model: MODELS.llama, split: { recomputed: 5 } }),
      decodeOf('host-attention', { model: MODELS.qwen3, split: { resident: 4 } }),
    ];
    const alone: Observations[] = [];
    for (const decode of decodes) alone.push(await observe(decode));
    const together = await Promise.all(decodes.map((decode) => observe(decode)));
    expect(together).toEqual(alone);
  });
});

/** Decodes under each schedule in which every kind of copy happens. */
const COPYING: { name: ScheduleName; options: DecodeOptions }[] = [
  { name: 'transfer', options: { split: {} } },
  { name: 'transfer-prefetch', options: { split: { resident: 3 }, weights: 'host' } },
  { name: 'kvpr-row', options: { split: { recomputed: 5 } } },
  { name: 'kvpr-column', options: { split: { recomputed: 5 } } },
  { name: 'kvpr-pipelined', options: { split: { resident: 2, recomputed: 5 } } },
  { name: 'activation', options: { split: {} } },
  { name: 'host-attention', options: { split: { resident: 3 }, weights: 'host' } },
];

describeNative('a broken schedule', () => {
  it.each(COPYING)('shows in the numbers where $name leaves out any one kind of copy', async ({ name, options }) => {
    const decode = decodeOf(name, { model: MODELS.llama, ...options });
    const reference = await expectedFor('llama', 'fp32');
    const kinds = copies(decode);
    expect(kinds.size).toBeGreaterThan(1);
    for (const [kind, operation] of kinds) {
      const worst = farthest(await observe(withoutCopy(decode, operation)), reference);
      expect(worst.distance, kind).toBeGreaterThan(100 * TOLERANCE.fp32);
    }
  });

  it('shows as NaN in the attention of the next step where a store is forgotten', async () => {
    const decode = decodeOf('transfer', { split: {} });
    const [[, store]] = [...copies(decode, 0)].filter(([kind]) => kind.startsWith('store'));
    const observed = await observe(withoutCopy(decode, store));
    const { layer, microBatch } = decode.plan;
    const attended = observed.get(`attended of step 1 layer ${layer[store]} micro-batch ${microBatch[store]}`);
    expect(attended?.every(Number.isNaN)).toBe(true);
  });

  it.each(COPYING)(
    'is refused where $name drops the dependencies of a stream on a group',
    async ({ name, options }) => {
      const { plan } = decodeOf(name, { model: MODELS.llama, ...options });
      const edges = [...plan.stream.keys()].flatMap((i) =>
        [...plan.dependency.subarray(plan.dependencyStart[i], plan.dependencyStart[i + 1])].map((on, e) => ({
          at: plan.dependencyStart[i] + e,
          kind: `${STREAMS[plan.stream[i]]} after ${GROUPS[plan.group[on]]}`,
        })),
      );
      expect(native().faultOf(plan)).toBeNull();
      const kinds = [...new Set(edges.map(({ kind }) => kind))];
      const missed = kinds.filter((kind) => {
        const dependency = plan.dependency.slice();
        // Waiting for the first operation of all is as good as not waiting.
        for (const edge of edges) if (edge.kind === kind) dependency[edge.at] = 0;
        return !native()
          .faultOf({ ...plan, dependency })
          ?.includes('in no order');
      });
      // A read of what the step before stored: the store is also ordered by the buffer it stores from, which is used again in between.
      expect(missed.filter((kind) => !kind.endsWith('after store'))).toEqual([]);
      expect(missed.length).toBeLessThan(kinds.length);
    },
  );
});

/** A copy of each kind in a step: named by its group and the buffer it fills, in the last layer and micro-batch that has it. */
function copies({ plan }: DecodePlan, step = 1): Map<string, number> {
  const found = new Map<string, number>();
  for (let i = 0; i < plan.count; i++) {
    const kind = plan.works.kind[plan.work[i]];
    if (plan.step[i] !== step || (kind !== Kind.copyH2d && kind !== Kind.copyD2h)) continue;
    const target = plan.buffers[plan.operands.buffer[plan.operands.start[i] + 1]].name.replace(/\[.*/, '');
    found.set(`${GROUPS[plan.group[i]]} into ${target}`, i);
  }
  return found;
}

/** Keys and values of all tokens that came over the link, as attention found them, with the new token's. */
async function stagedCaches(decode: DecodePlan): Promise<Observations> {
  const { plan, buffers, request } = decode;
  const watched: { operation: number; operand: number; name: string }[] = [];
  for (let i = 0; i < plan.count; i++) {
    if (plan.works.kind[plan.work[i]] !== Kind.attend) continue;
    const name = `caches of step ${plan.step[i]} layer ${plan.layer[i]} micro-batch ${plan.microBatch[i]}`;
    for (let o = plan.operands.start[i]; o < plan.operands.start[i + 1]; o++) {
      if (plan.operands.role[o] !== Role.cache || !buffers.stagedKv.includes(plan.operands.buffer[o])) continue;
      watched.push({
        operation: i,
        operand: o - plan.operands.start[i],
        name: `${name} from ${plan.operands.offsetBytes[o]}`,
      });
    }
  }
  const session = await DecodeSession.open([decode], DEVICE);
  try {
    const { captures } = await session.run(decode, { captures: watched });
    const type = request.precision.kv as FloatType;
    return new Map(watched.map(({ name }, i) => [name, widened(captures[i], type)]));
  } finally {
    session.close();
  }
}

const randomShapes = fc
  .record({
    layers: fc.integer({ min: 1, max: 3 }),
    hidden: fc.constantFrom(8, 24, 40),
    kvHeads: fc.constantFrom(1, 2, 3),
    sharing: fc.constantFrom(1, 2, 3),
    headDim: fc.constantFrom(8, 16),
    ffn: fc.integer({ min: 1, max: 40 }),
    // So many that some logits are not small by chance.
    vocab: fc.integer({ min: 16, max: 30 }),
    gated: fc.boolean(),
    rotary: fc.boolean(),
    learnedPositions: fc.constantFrom(0, 7),
    norm: fc.constantFrom('layer', 'rms'),
    qkNorm: fc.boolean(),
    tiedEmbeddings: fc.boolean(),
    bias: fc.record({ qkv: fc.boolean(), out: fc.boolean(), ffn: fc.boolean() }),
    window: fc.option(fc.record({ size: fc.integer({ min: 1, max: 9 }), every: fc.integer({ min: 0, max: 2 }) }), {
      nil: undefined,
    }),
  })
  .map(({ sharing, window, ...shape }) => ({ ...shape, heads: shape.kvHeads * sharing, ...(window && { window }) }));

const randomCases = fc.record({
  model: randomShapes,
  name: fc.constantFrom(...SCHEDULES),
  weights: fc.constantFrom('gpu' as const, 'host' as const),
  workload: fc.record({
    batch: fc.integer({ min: 1, max: 3 }),
    microBatches: fc.integer({ min: 1, max: 3 }),
    promptTokens: fc.integer({ min: 1, max: 14 }),
    generatedTokens: fc.integer({ min: 1, max: 4 }),
  }),
  /** Of each step: tokens that are resident, recomputed and transferred at most; the others are attended on the host. */
  ways: fc.array(fc.tuple(fc.nat(14), fc.nat(14), fc.nat(14)), { minLength: 4, maxLength: 4 }),
  replans: fc.boolean(),
});
type RandomCase = typeof randomCases extends fc.Arbitrary<infer Case> ? Case : never;

const ONCE: RandomCase = {
  model: {
    ...{ layers: 2, hidden: 24, heads: 2, kvHeads: 1, headDim: 8, ffn: 8, vocab: 16, gated: true, rotary: true },
    ...{ learnedPositions: 0, norm: 'rms', qkNorm: false, tiedEmbeddings: false },
    bias: { qkv: false, out: false, ffn: false },
  },
  name: 'kvpr-row',
  weights: 'gpu',
  workload: { batch: 1, microBatches: 2, promptTokens: 6, generatedTokens: 4 },
  ways: Array.from({ length: 4 }, () => [0, 2, 1]),
  replans: false,
};

/** What plans once got wrong. */
const ONCE_WRONG: RandomCase[] = [
  // A micro-batch's staged KV overwritten by the next one's before it was attended.
  ONCE,
  // Generated tokens' activations stored before the beginning of the cache, whose window begins behind them.
  {
    ...ONCE,
    model: { ...ONCE.model, window: { size: 1, every: 0 } },
    name: 'kvpr-column',
    ways: [0, 0, 0, 1].map((recomputed) => [0, recomputed, 0]),
  },
];

function mixedDecode({ name, ways, replans, ...options }: RandomCase): DecodePlan {
  const split = replans ? 'auto' : {};
  const { shape, contexts } = decodeOf(name, { ...options, split: {} }).request;
  const { groups } = layerGroups(shape);
  const splits = contexts.map(
    (context, step): StepSplit =>
      groups.map((group) => mixedSplit(name, attendedBy(group, context), context - contexts[0], ways[step])),
  );
  return decodeOf(name, { ...options, split, splits });
}

/** Any mix of the ways that the schedule's stores allow: generated tokens are where it puts them, the others everywhere. */
function mixedSplit(
  name: ScheduleName,
  attended: number,
  generated: number,
  [a, b, c]: [number, number, number],
): SplitTokens {
  if (name === 'resident') return { ...NO_TOKENS, resident: attended };
  const resident = Math.min(a, Math.max(0, attended - generated));
  const rest = attended - resident;
  if (name === 'activation') return { ...NO_TOKENS, resident, recomputed: rest };
  const recomputed = Math.min(b, rest);
  const transferred = Math.min(c, rest - recomputed);
  return { resident, recomputed, transferred, hostAttended: rest - recomputed - transferred };
}

it('compares numbers so that one NaN is infinitely far', () => {
  const one = Float64Array.of(1, 2, 2);
  expect(distance(Float64Array.of(1, 2, 2.6), one)).toBeCloseTo(0.6 / Math.sqrt(3), 12);
  expect(distance(Float64Array.of(1, Number.NaN, 2), one)).toBe(Number.POSITIVE_INFINITY);
});
