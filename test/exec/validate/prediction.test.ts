import { describe, expect, it } from 'vitest';
import { chosenConfiguration, gridConfigurations, isSame } from '../../../exec/validate/configurations.ts';
import { groupSeconds, meanStepSeconds, predict, stepSeconds } from '../../../exec/validate/prediction.ts';
import { plan } from '../../../sim/planner/plan.ts';
import { parseScenario } from '../../../sim/scenario/parse.ts';

const SCENARIO = parseScenario(`
model: opt-125m
machine: a100-pcie-40gb
workload: { batch: 16, promptTokens: 512, generatedTokens: 3 }
`);

describe('what a validation predicts', () => {
  it('is for the chosen configuration what plan says of it', () => {
    const chosen = chosenConfiguration(SCENARIO, 3)!;
    const { candidates } = plan(SCENARIO);
    expect(chosen.schedule).toBe(candidates[0].schedule);
    expect(chosen.split).toEqual(candidates[0].split);
    const { endSeconds } = predict(chosen.decode.plan, SCENARIO.machine);
    expect(meanStepSeconds(chosen.decode.stepEnds, endSeconds)).toBeCloseTo(candidates[0].stepSeconds, 12);
  });

  it('is for a fixed split what plan says of that split', () => {
    const [, second] = gridConfigurations({ ...SCENARIO, schedules: ['kvpr-row'] }, 3, 3);
    expect(second.split.recomputed).toBe(256);
    const asked = { ...SCENARIO, schedules: ['kvpr-row' as const], split: { recomputed: { tokens: 256 } } };
    const { endSeconds } = predict(second.decode.plan, SCENARIO.machine);
    expect(meanStepSeconds(second.decode.stepEnds, endSeconds)).toBeCloseTo(plan(asked).candidates[0].stepSeconds, 12);
  });

  it('has steps that add up to the whole, and groups that add up to the operations', () => {
    const { decode } = chosenConfiguration(SCENARIO, 3)!;
    const timeline = predict(decode.plan, SCENARIO.machine);
    const steps = stepSeconds(decode.stepEnds, timeline.endSeconds);
    expect(steps).toHaveLength(3);
    expect(steps.reduce((a, b) => a + b)).toBeCloseTo(3 * meanStepSeconds(decode.stepEnds, timeline.endSeconds), 12);
    const operations = timeline.endSeconds.reduce((sum, end, i) => sum + end - timeline.startSeconds[i], 0);
    const groups = [...groupSeconds(decode.plan, timeline).values()];
    expect(3 * groups.reduce((a, b) => a + b)).toBeCloseTo(operations, 12);
  });

  it('begins the decode that plan chose for the whole workload', () => {
    const long = { ...SCENARIO, workload: { ...SCENARIO.workload, generatedTokens: 40 } };
    const chosen = chosenConfiguration(long, 2)!;
    expect(chosen.schedule).toBe(plan(long).candidates[0].schedule);
    expect(chosen.decode.plan.steps).toBe(2);
  });

  it('keeps what the scenario wants resident, and tells such a split by name from one without', () => {
    const asked = { ...SCENARIO, schedules: ['kvpr-pipelined' as const] };
    const kept = { ...asked, split: { resident: { tokens: 12 }, recomputed: { tokens: 250 } } };
    const grid = gridConfigurations(kept, 2, 3);
    expect(grid.map(({ name }) => name)).toEqual([
      'kvpr-pipelined 0, 12 resident',
      'kvpr-pipelined 250, 12 resident',
      'kvpr-pipelined 500, 12 resident',
    ]);
    const chosen = chosenConfiguration(kept, 2)!;
    expect(grid.map((one) => isSame(one, chosen))).toEqual([false, true, false]);
    expect(gridConfigurations(asked, 2, 513).some((one) => isSame(one, chosen))).toBe(false);
  });

  it('takes the one split there is of one, and as many as there are of a short context', () => {
    const short = {
      ...SCENARIO,
      schedules: ['kvpr-row' as const],
      workload: { ...SCENARIO.workload, promptTokens: 3 },
    };
    expect(gridConfigurations(short, 2, 9).map(({ split }) => split.recomputed)).toEqual([0, 1, 2, 3]);
    expect(gridConfigurations(short, 2, 1).map(({ split }) => split.recomputed)).toEqual([0]);
  });

  it('executes no more steps than the scenario generates', () => {
    expect(chosenConfiguration(SCENARIO, 100)!.decode.plan.steps).toBe(3);
  });
});
