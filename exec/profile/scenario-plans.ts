import type { Plan } from '../../sim/plan/plan.ts';
import type { Scenario } from '../../sim/scenario/scenario.ts';
import { gridConfigurations } from '../validate/configurations.ts';

/** Splits of each schedule between which costs are interpolated. */
const SPLITS = 9;

/** Plans of a scenario's first and last step under every schedule, with splits all over: whatever it may choose lies between them. */
export function scenarioPlans(scenario: Scenario): Plan[] {
  const { promptTokens, generatedTokens } = scenario.workload;
  const ends = [...new Set([promptTokens, promptTokens + generatedTokens - 1])];
  return ends.flatMap((context) => {
    const step = { ...scenario, workload: { ...scenario.workload, promptTokens: context, generatedTokens: 1 } };
    return gridConfigurations(step, 1, SPLITS).map(({ decode }) => decode.plan);
  });
}
