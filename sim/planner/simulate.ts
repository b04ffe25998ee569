import { simulate } from '../engine/engine.ts';
import type { Timeline } from '../engine/timeline.ts';
import { costTable } from '../machine/cost.ts';
import { type MemoryOverTime, memoryOverTime } from '../plan/memory.ts';
import { GROUPS, type GroupName, KINDS, type KindName, type Plan } from '../plan/plan.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { scheduleNamed } from '../schedule/catalogue.ts';
import { decodePlan } from '../schedule/decode.ts';
import { layerGroups } from '../schedule/layer-groups.ts';
import type { ScheduleName } from '../schedule/names.ts';
import { decodeRequest } from './decode-setup.ts';
import { plan } from './plan.ts';
import type { Candidate } from './result.ts';
import { splitsAt } from './splits.ts';

/** Operations of a kind or group taken together. */
export interface Total {
  operations: number;
  /** From start to end, launch gaps, copy set-up and slowing by others included. */
  seconds: number;
  flops: number;
  bytes: number;
}

/** A decode, operation by operation. */
export interface Simulation {
  plan: Plan;
  timeline: Timeline;
  memory: MemoryOverTime;
  totals: { kind: Partial<Record<KindName, Total>>; group: Partial<Record<GroupName, Total>> };
}

/** Layers × steps × micro-batches that are simulated at most: some four million operations. */
const MOST = 250_000;

/** Simulates the first steps of a candidate's decode, all of them where that is not too much, and keeps every operation. */
export function simulateSteps(
  scenario: Scenario,
  candidate: Pick<Candidate, 'schedule' | 'strategy'>,
  steps = Number.POSITIVE_INFINITY,
): Simulation {
  const schedule = scheduleNamed(candidate.schedule);
  const { promptTokens, generatedTokens, microBatches } = scenario.workload;
  const layers = layerGroups(scenario.model);
  const most = Math.max(1, Math.floor(MOST / (scenario.model.layers * microBatches)));
  const all = Array.from({ length: generatedTokens }, (_, step) => promptTokens + step);
  const splits = splitsAt(scenario, schedule, layers, all, candidate.strategy);
  const count = Math.min(steps, generatedTokens, most);
  const request = decodeRequest(scenario, schedule, { contexts: all.slice(0, count), splits: splits.slice(0, count) });
  // The caches hold the tokens of the steps that are left out, too.
  const otherSteps = { contexts: all.slice(count), splits: splits.slice(count) };
  const { plan } = decodePlan(count < generatedTokens ? { ...request, otherSteps } : request);
  const timeline = simulate(plan, costTable(plan.works, scenario.machine));
  return { plan, timeline, memory: memoryOverTime(plan, timeline), totals: totalsOf(plan, timeline) };
}

/** One schedule of a scenario, in short and operation by operation. */
export interface SimulatedSchedule extends Simulation {
  candidate: Candidate;
}

/**
 * Simulates one schedule of a scenario.
 *
 * @param name undefined: the recommended schedule, or the fastest where none fits
 */
export function simulateSchedule(scenario: Scenario, name?: ScheduleName, steps?: number): SimulatedSchedule {
  const asked = name ? { ...scenario, schedules: [name] } : scenario;
  const [candidate] = plan(asked).candidates;
  return { candidate, ...simulateSteps(scenario, candidate, steps) };
}

function totalsOf(plan: Plan, { startSeconds, endSeconds }: Timeline): Simulation['totals'] {
  const kind: Partial<Record<KindName, Total>> = {};
  const group: Partial<Record<GroupName, Total>> = {};
  for (let i = 0; i < plan.count; i++) {
    const work = plan.work[i];
    const kindName = KINDS[plan.works.kind[work]];
    const groupName = GROUPS[plan.group[i]];
    kind[kindName] ??= { operations: 0, seconds: 0, flops: 0, bytes: 0 };
    group[groupName] ??= { operations: 0, seconds: 0, flops: 0, bytes: 0 };
    for (const total of [kind[kindName], group[groupName]]) {
      total.operations++;
      total.seconds += endSeconds[i] - startSeconds[i];
      total.flops += plan.works.flops[work];
      total.bytes += plan.works.bytes[work];
    }
  }
  return { kind, group };
}
