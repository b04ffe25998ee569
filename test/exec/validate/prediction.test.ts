import { describe, expect, it } from 'vitest';
import { chosenConfiguration, gridConfigurations } from '../../../exec/validate/configurations.ts';
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

  it('executes no more steps than the scenario generates', () => {
    expect(chosenConfiguration(SCENARIO, 100)!.decode.plan.steps).toBe(3);
  });
});
