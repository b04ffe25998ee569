/**
 * splitpoint's TypeScript API: the commands are a face on it. Nothing here needs Node.
 *
 * `plan` and `simulate` take a scenario as the files hold it (DESIGN: model, machine, workload, …), checked and completed the same way.
 */
import { plan as planScenario } from './planner/plan.ts';
import type { PlanResult } from './planner/result.ts';
import { type SimulatedSchedule, simulateSchedule } from './planner/simulate.ts';
import { type ScenarioOptions, scenarioFromDocument } from './scenario/parse.ts';
import type { ScheduleName } from './schedule/names.ts';

/** Simulates every schedule of a scenario, each with its best split, and recommends one. Throws InputError for a scenario that means nothing. */
export function plan(scenario: unknown, options?: ScenarioOptions): PlanResult {
  return planScenario(scenarioFromDocument(scenario, options));
}

/** Simulates one schedule of a scenario, the recommended one unless named, and keeps every operation. */
export function simulate(
  scenario: unknown,
  options: ScenarioOptions & { schedule?: ScheduleName } = {},
): SimulatedSchedule {
  return simulateSchedule(scenarioFromDocument(scenario, options), options.schedule);
}

export type { Timeline } from './engine/timeline.ts';
export { findMachine, MACHINE_NAMES } from './machine/catalogue.ts';
export type { Machine } from './machine/machine.ts';
export { findModel, MODEL_NAMES } from './model/catalogue.ts';
export { shapeFromHfConfig } from './model/hf-config.ts';
export { summariseModel } from './model/quantities.ts';
export type { ModelShape } from './model/shape.ts';
export type { Plan } from './plan/plan.ts';
export type { Candidate, PlanResult, Recommendation } from './planner/result.ts';
export type { Simulation } from './planner/simulate.ts';
export { type SplitPoint, splitCurve } from './planner/split-curve.ts';
export { machineFromProfile } from './profile/machine.ts';
export { type Profile, parseProfile, profileJsonSchema } from './profile/profile.ts';
export { ganttSpec } from './report/gantt.ts';
export { schedulesSpec } from './report/schedules.ts';
export { splitCurveSpec } from './report/split-curve.ts';
export { chromeTrace } from './report/trace.ts';
export { InputError } from './scenario/input-error.ts';
export { parseScenario, scenarioFromDocument } from './scenario/parse.ts';
export type { Scenario } from './scenario/scenario.ts';
export { scenarioJsonSchema } from './scenario/schema.ts';
export { SCHEDULES, type ScheduleName } from './schedule/names.ts';
