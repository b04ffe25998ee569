import { type Pool, PRECISIONS } from '../../sim/plan/plan.ts';
import {
  type DeviceInfo,
  type DeviceOptions,
  type Execution,
  type FloatType,
  type NativeSession,
  native,
} from '../native.ts';
import { turns } from '../validate/turns.ts';
import { alternatingPlan, type Chain, type ChainRange, chainPlan } from './chain.ts';
import { elementsIn, isCopy, type Probe } from './probe.ts';
import { bytesNeeded, Regions } from './regions.ts';
import { handoverSeconds, secondsEach, secondsTogether } from './timing.ts';

const REPEATS = 9;
/** Of an operation and one that waits for it, in a repeat. */
const HANDOVERS = 8;
/** Part of the time that is planned with: operations are slower than they were at first. */
const PLANNED = 0.8;
/** Repeats that count, where the machine turns out to be slower than it was at first. */
const FEWEST_REPEATS = 5;

/** What a repeat of one chain takes at most where there is time enough. */
const LONG_CHAIN_SECONDS = 0.03;
/** Operations as long as this need no chain: what comes between them is nothing beside them. */
const LONG_OPERATION_SECONDS = 0.02;
/** Streams hold about a thousand commands, and an operation may be several. */
const MOST_OPERATIONS = 400;
/** Operations of the slower chain while two run together. */
const TOGETHER = 6;
/** Small, so that sums over thousands of products stay within fp16. */
const SCALE = 0.125;
const SEED = 20261123;

/** Probes measured at the same time, at most one a lane. */
export type Case = readonly (Probe | undefined)[];

/** Seconds of an operation in each repeat, by lane; undefined where there was no time for it, or none that could be told apart. */
export type Samples = (readonly number[] | undefined)[];

/** What is known of a case after it ran once. */
interface Pilot {
  index: number;
  lanes: { lane: number; probe: Probe; seconds: number }[];
  /** Time of an execution beside its operations. */
  overheadSeconds: number;
}

/** Memory of a device, filled with random numbers, and chains of operations executed in it. */
export class Bench {
  readonly #session: NativeSession;
  readonly #regions: Regions;
  readonly #signal: AbortSignal | undefined;

  private constructor(session: NativeSession, regions: Regions, signal: AbortSignal | undefined) {
    this.#session = session;
    this.#regions = regions;
    this.#signal = signal;
  }

  /**
   * @param lanes all probes that will be measured in each lane, of one type of elements
   * @param ringBytes that chains of operations go through before they come back to the same bytes
   */
  static open(
    device: DeviceOptions,
    lanes: readonly (readonly Probe[])[],
    ringBytes: number,
    signal: AbortSignal | undefined,
  ): Bench {
    signal?.throwIfAborted();
    const regions = new Regions(lanes, ringBytes);
    const first = lanes.flatMap((probes, lane) => probes.slice(0, 1).map((probe) => ({ lane, probe, count: 1 })));
    const { plan } = chainPlan(regions, first);
    const session = native().open(plan, device);
    try {
      const dtype = (lanes.flat().find((probe) => !isCopy(probe)) ?? lanes.flat()[0]).dtype;
      plan.buffers.forEach(({ bytes }, buffer) => {
        const type = PRECISIONS[dtype] as FloatType;
        const fill = { buffer, offsetBytes: 0, count: elementsIn(bytes, dtype), type, firstIndex: 0 };
        session.fill({ ...fill, seed: SEED + buffer, scale: SCALE, shift: 0 });
      });
    } catch (error) {
      session.close();
      throw error;
    }
    return new Bench(session, regions, signal);
  }

  close(): void {
    this.#session.close();
  }

  /**
   * Measures cases in turns, in an order that changes from round to round, within about so many seconds; cases are left out where they do
   * not fit.
   *
   * @param atLeast how many cases, the first ones, are measured a few times even so
   */
  async measure(cases: readonly Case[], budgetSeconds: number, atLeast = 0): Promise<Samples[]> {
    const begin = now();
    const pilots = await this.#pilots(cases, budgetSeconds, atLeast);
    const chainSeconds = affordableChain(pilots, PLANNED * (budgetSeconds - (now() - begin)));
    const samples: Samples[] = cases.map(() => []);
    const measured: number[][][] = pilots.map(({ lanes }) => lanes.map(() => []));
    for (let round = 0; round < REPEATS; round++) {
      if (round >= FEWEST_REPEATS && now() - begin > budgetSeconds) break;
      for (const p of turns(pilots.length, round)) {
        const seconds = await this.#repeat(pilots[p], chainSeconds);
        seconds?.forEach((one, lane) => {
          measured[p][lane].push(one);
        });
      }
    }
    pilots.forEach(({ index, lanes }, p) => {
      lanes.forEach(({ lane }, i) => {
        if (measured[p][i].length > 0) samples[index][lane] = measured[p][i];
      });
    });
    return samples;
  }

  /** Median gaps in each repeat between an operation of the first lane and one of the second that waits for it. */
  async handovers(probes: readonly [Probe, Probe]): Promise<number[]> {
    const [first, second] = probes.map((probe, lane): Chain => ({ lane, probe, count: HANDOVERS }));
    const gaps: number[] = [];
    for (let repeat = -1; repeat < REPEATS; repeat++) {
      const execution = await this.#execute(alternatingPlan(this.#regions, [first, second]));
      if (repeat >= 0) gaps.push(handoverSeconds(execution));
    }
    return gaps;
  }

  /** Whether a copy's target holds what its source does, where it held none of it before. */
  async copies(lane: number, probe: Probe): Promise<boolean> {
    const { plan } = chainPlan(this.#regions, [{ lane, probe, count: 1 }]);
    const { buffer, offsetBytes, rowBytes } = plan.operands;
    this.#session.poison(buffer[1], offsetBytes[1], rowBytes[1]);
    await this.#execute(plan);
    const [source, target] = [0, 1].map((o) => this.#session.read(buffer[o], offsetBytes[o], rowBytes[o]));
    return Buffer.compare(source, target) === 0;
  }

  /** Runs each case once, as far as time allows for the repeats too. */
  async #pilots(cases: readonly Case[], budgetSeconds: number, atLeast: number): Promise<Pilot[]> {
    const begin = now();
    const pilots: Pilot[] = [];
    let committed = 0;
    /** Of work and of memory: what has not run yet will hardly be faster. */
    let flopsPerSecond = 0;
    for (const [index, probes] of cases.entries()) {
      const left = PLANNED * (budgetSeconds - (now() - begin)) - committed;
      const flops = Math.max(...probes.map((probe) => probe?.flops ?? 0));
      const guess = flopsPerSecond > 0 ? flops / flopsPerSecond : 0;
      if (index >= atLeast && (REPEATS + 2) * guess > left) continue;
      const pilot = await this.#pilot(index, probes);
      const cost = REPEATS * secondsOf(pilot, 0);
      for (const { probe, seconds } of pilot.lanes) flopsPerSecond = Math.max(flopsPerSecond, probe.flops / seconds);
      if (index >= atLeast && cost > left) continue;
      committed += cost;
      pilots.push(pilot);
    }
    return pilots;
  }

  async #pilot(index: number, probes: Case): Promise<Pilot> {
    const lanes = probes.flatMap((probe, lane) => (probe ? [{ lane, probe, count: 2 }] : []));
    const { plan, ranges } = chainPlan(this.#regions, lanes);
    const begin = now();
    const execution = await this.#execute(plan);
    const wall = now() - begin;
    return {
      index,
      lanes: lanes.map(({ lane, probe }, i) => {
        return { lane, probe, seconds: Math.max(1e-7, secondsEach(execution, ranges[i])) };
      }),
      overheadSeconds: Math.max(0, wall - execution.endSeconds.reduce((a, b) => Math.max(a, b), 0)),
    };
  }

  async #repeat(pilot: Pilot, chainSeconds: number): Promise<number[] | undefined> {
    const counts = countsOf(pilot, chainSeconds);
    const chains = pilot.lanes.map(({ lane, probe }, i) => ({ lane, probe, count: counts[i] }));
    const { plan, ranges } = chainPlan(this.#regions, chains);
    const execution = await this.#execute(plan);
    const seconds = secondsOfRanges(execution, ranges);
    return seconds?.every((one) => one > 0) ? seconds : undefined;
  }

  async #execute(plan: Parameters<NativeSession['execute']>[0]): Promise<Execution> {
    this.#signal?.throwIfAborted();
    const cancel = () => this.#session.cancel();
    this.#signal?.addEventListener('abort', cancel);
    try {
      return await this.#session.execute(plan);
    } finally {
      this.#signal?.removeEventListener('abort', cancel);
    }
  }
}

function secondsOfRanges(execution: Execution, ranges: readonly ChainRange[]): number[] | undefined {
  return ranges.length === 1 ? [secondsEach(execution, ranges[0])] : secondsTogether(execution, ranges);
}

/** Operations of each lane's chain. */
function countsOf({ lanes }: Pilot, chainSeconds: number): number[] {
  if (lanes.length === 1) {
    const [{ seconds }] = lanes;
    if (seconds >= LONG_OPERATION_SECONDS) return [1];
    return [Math.min(MOST_OPERATIONS, Math.max(3, Math.ceil(chainSeconds / seconds) + 1))];
  }
  const span = Math.max(chainSeconds, TOGETHER * Math.max(...lanes.map(({ seconds }) => seconds)));
  return lanes.map(({ seconds }) => Math.min(MOST_OPERATIONS, Math.ceil(span / seconds) + 2));
}

/** What one repeat takes. */
function secondsOf(pilot: Pilot, chainSeconds: number): number {
  const counts = countsOf(pilot, chainSeconds);
  return pilot.overheadSeconds + Math.max(...pilot.lanes.map(({ seconds }, i) => counts[i] * seconds));
}

/** Length of chains with which all repeats take at most so long, as far as shorter ones help. */
function affordableChain(pilots: readonly Pilot[], seconds: number): number {
  let chain = LONG_CHAIN_SECONDS;
  const cost = () => REPEATS * pilots.reduce((sum, pilot) => sum + secondsOf(pilot, chain), 0);
  while (chain > 1e-4 && cost() > seconds) chain *= 0.8;
  return chain;
}

/** Probes that fit the memory of a device, and how many do not. */
export function fitting(probes: readonly Probe[], info: DeviceInfo): Probe[] {
  // The CPU's pools share one memory; what other programs need next is theirs.
  const share = info.backend === 'cpu' ? 0.15 : 0.4;
  const limits: Record<Pool, number> = {
    gpu: share * info.gpuFreeBytes,
    pinned: share * info.hostFreeBytes,
    host: share * info.hostFreeBytes,
  };
  return probes.filter((probe) =>
    (Object.keys(limits) as Pool[]).every((pool) => bytesNeeded(probe, pool) <= limits[pool]),
  );
}

const now = () => performance.now() / 1e3;
