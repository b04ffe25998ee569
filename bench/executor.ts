import { median, quantile } from 'simple-statistics';
import { DecodeSession } from '../exec/decode-session.ts';
import { type DeviceOptions, type Execution, native } from '../exec/native.ts';
import { gridConfigurations } from '../exec/validate/configurations.ts';
import { meanStepSeconds } from '../exec/validate/prediction.ts';
import { type Plan, Stream } from '../sim/plan/plan.ts';
import { parseScenario } from '../sim/scenario/parse.ts';
import type { DecodePlan } from '../sim/schedule/decode.ts';
import { formatBytes, formatRate } from '../sim/units/format.ts';
import { chainPlan, inSeries, type Link } from './chain-plan.ts';

const CPU: DeviceOptions = { backend: 'cpu', hostThreads: 1 };

/** The executor on the CPU backend: what it costs by itself, how well streams overlap, and how true the paced link is. */
export async function run(): Promise<void> {
  const probed = native().probe('cpu');
  if ('info' in probed) console.log(`matrix products by ${probed.info.blas}`);
  await handovers();
  await pacing();
  await overlap();
}

const CHAIN = 2000;
const CHAIN_BYTES = 64;
const CHAIN_REPEATS = 5;

/** From the end of an operation to the start of the one that waits for it, a turn (the operation with it), and the time to enqueue one. */
async function handovers(): Promise<void> {
  console.log(`\nDependent operations of ${CHAIN_BYTES} bytes, ${CHAIN_REPEATS} × ${CHAIN}; µs`);
  row('', 'wait, median', 'wait, p95', 'turn', 'enqueue');
  const chains: [string, Link[]][] = [
    ['one stream (kernels)', ['compute']],
    ['one stream (copies)', ['h2d']],
    ['from stream to stream and back', ['h2d', 'compute']],
    ['over three streams', ['h2d', 'compute', 'd2h']],
  ];
  for (const [name, links] of chains) {
    const plan = chainPlan(links, CHAIN_BYTES, CHAIN);
    const executions = await executed(plan, CPU, CHAIN_REPEATS);
    const gaps = executions.flatMap(({ startSeconds, endSeconds }) =>
      Array.from({ length: CHAIN - 1 }, (_, i) => 1e6 * (startSeconds[i + 1] - endSeconds[i])),
    );
    const turn = executions.map(({ startSeconds, endSeconds }) => endSeconds[CHAIN - 1] - startSeconds[0]);
    const enqueue = executions.map(({ enqueueSeconds }) => enqueueSeconds);
    const each = [turn, enqueue].map((seconds) => (1e6 * median(seconds)) / CHAIN);
    row(name, ...[median(gaps), quantile(gaps, 0.95), ...each].map((value) => value.toFixed(2)));
  }
}

const RATES = [2e8, 1e9, 4e9];
const SIZES = [2 ** 16, 2 ** 20, 2 ** 24];
const PACED_SECONDS = 0.3;

/** How far achieved rates are from those asked for: each copy's, and the whole chain's. */
async function pacing(): Promise<void> {
  console.log(
    '\nPaced link: achieved rate over the one asked for, −1; copies of a chain (median, p95 of absolute), whole chain',
  );
  row('', 'median', 'p95', 'chain');
  for (const linkBytesPerSecond of RATES) {
    for (const bytes of SIZES) {
      const count = Math.max(4, Math.min(400, Math.round((PACED_SECONDS * linkBytesPerSecond) / bytes)));
      const plan = chainPlan(['h2d'], bytes, count);
      const [{ startSeconds, endSeconds }] = await executed(plan, { ...CPU, linkBytesPerSecond }, 1);
      const errorOf = (total: number, seconds: number) => total / seconds / linkBytesPerSecond - 1;
      const errors = Array.from({ length: count }, (_, i) => errorOf(bytes, endSeconds[i] - startSeconds[i]));
      const chain = errorOf(count * bytes, endSeconds[count - 1] - startSeconds[0]);
      const figures = [median(errors), quantile(errors.map(Math.abs), 0.95), chain];
      row(`${formatRate(linkBytesPerSecond)}, ${count} × ${formatBytes(bytes)}`, ...figures.map(percent));
    }
  }
}

const STEPS = 4;
const FIRST_LINK_RATE = 4e8;
const SEARCHES = 4;
const OVERLAP_REPEATS = 9;

/** Half of the context is recomputed; the search moves the link's rate until copies take as long as kernels. */
const SCENARIO = {
  model: { layers: 8, hidden: 512, heads: 8, kvHeads: 8, headDim: 64, ffn: 2048, gated: false, vocab: 2048 },
  machine: 'a100-pcie-40gb',
  workload: { batch: 8, promptTokens: 256, generatedTokens: STEPS },
  precision: { weights: 'fp32', kv: 'fp32', activations: 'fp32' },
  schedules: ['kvpr-pipelined'],
};

/** A decode where copies and kernels take about as long: its step over the longer of the two. */
async function overlap(): Promise<void> {
  const [, { decode }] = gridConfigurations(parseScenario(JSON.stringify(SCENARIO)), STEPS, 3);
  let rate = FIRST_LINK_RATE;
  for (let i = 0; i < SEARCHES; i++) {
    const { together } = await decoded(decode, rate, 3);
    rate *= median(together.map((one) => one.copy / one.compute));
  }
  const { together, alone, enqueue } = await decoded(decode, rate, OVERLAP_REPEATS);
  console.log(
    `\nkvpr-pipelined, 8 layers × ${STEPS} steps, half recomputed, link at ${formatRate(rate)}; ms a step, median of ${OVERLAP_REPEATS}`,
  );
  row('', 'step', 'copies', 'kernels');
  for (const [name, runs] of [
    ['streams together', together],
    ['one operation at a time', alone],
  ] as const) {
    row(name, ...(['step', 'copy', 'compute'] as const).map((key) => medianOf(runs, key).toFixed(3)));
  }
  const step = medianOf(together, 'step');
  const ratios = together.map((one) => one.step / Math.max(one.copy, one.compute));
  const aloneLonger = Math.max(medianOf(alone, 'copy'), medianOf(alone, 'compute'));
  console.log(`step ÷ max(copies, kernels), in the same run: ${median(ratios).toFixed(3)} (goal: at most 1.10)`);
  console.log(`step ÷ max(copies, kernels), each alone:      ${(step / aloneLonger).toFixed(3)}`);
  console.log(`enqueueing: ${((1e6 * enqueue) / decode.plan.count).toFixed(2)} µs an operation`);
}

/** Milliseconds of a step: the whole, and what its stream of copies to the device and its stream of kernels add up to. */
interface StepTimes {
  step: number;
  copy: number;
  compute: number;
}

async function decoded(decode: DecodePlan, linkBytesPerSecond: number, repeats: number) {
  const serial = { ...decode, plan: inSeries(decode.plan) };
  const session = await DecodeSession.open([decode], { ...CPU, linkBytesPerSecond });
  const together: StepTimes[] = [];
  const alone: StepTimes[] = [];
  const enqueue: number[] = [];
  try {
    for (let round = 0; round <= repeats; round++) {
      const overlapping = await session.run(decode);
      const apart = await session.run(serial);
      if (round === 0) continue;
      together.push(stepTimes(decode, overlapping));
      alone.push(stepTimes(decode, apart));
      enqueue.push(overlapping.enqueueSeconds);
    }
  } finally {
    session.close();
  }
  return { together, alone, enqueue: median(enqueue) };
}

function stepTimes({ plan, stepEnds }: DecodePlan, { startSeconds, endSeconds }: Execution): StepTimes {
  const busy = (stream: number) => {
    let seconds = 0;
    for (let i = 0; i < plan.count; i++) if (plan.stream[i] === stream) seconds += endSeconds[i] - startSeconds[i];
    return (1e3 * seconds) / plan.steps;
  };
  return { step: 1e3 * meanStepSeconds(stepEnds, endSeconds), copy: busy(Stream.h2d), compute: busy(Stream.compute) };
}

/** Executions of a plan over buffers of zeros, after one that warms up. */
async function executed(plan: Plan, device: DeviceOptions, repeats: number): Promise<Execution[]> {
  const session = native().open(plan, device);
  try {
    for (const [buffer, { bytes }] of plan.buffers.entries()) session.write(buffer, 0, new Uint8Array(bytes));
    const executions: Execution[] = [];
    for (let round = 0; round <= repeats; round++) {
      const execution = await session.execute(plan);
      if (round > 0) executions.push(execution);
    }
    return executions;
  } finally {
    session.close();
  }
}

function medianOf(runs: readonly StepTimes[], key: keyof StepTimes): number {
  return median(runs.map((one) => one[key]));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function row(name: string, ...cells: string[]): void {
  console.log([name.padEnd(34), ...cells.map((cell) => cell.padStart(14))].join('  '));
}
