import type { Scenario } from '../scenario/scenario.ts';
import { scheduleNamed } from '../schedule/catalogue.ts';
import { layerGroups } from '../schedule/layer-groups.ts';
import type { ScheduleName } from '../schedule/names.ts';
import { NO_TOKENS } from '../schedule/split-tokens.ts';
import { attendedBy } from '../schedule/token-ranges.ts';
import { rowObjectiveSeconds, tokenSeconds } from './analytic.ts';
import { stepBound } from './bound.ts';
import { spread } from './splits.ts';
import { StepModel } from './step-model.ts';

/** The first step's time at one split. */
export interface SplitPoint {
  recomputedTokens: number;
  simulatedSeconds: number;
  /** Layers × the paper's objective, plus the step's kernels. */
  closedFormSeconds: number;
  /** Least time with any split and schedule. */
  boundSeconds: number;
}

/** Seconds of the first step at evenly spread splits, and at the given ones, from recomputing nothing to all. */
export function splitCurve(
  scenario: Scenario,
  name: ScheduleName,
  also: readonly number[] = [],
  count = 65,
): SplitPoint[] {
  const schedule = scheduleNamed(name);
  const layers = layerGroups(scenario.model);
  const context = scenario.workload.promptTokens;
  const model = new StepModel(scenario, schedule, layers);
  const kernels = model.kernelSeconds(context);
  const bound = stepBound(scenario, layers, true)(context);
  const cost = tokenSeconds(scenario);
  const splits = [...new Set([...spread(context, count), ...also])]
    .filter((tokens) => Number.isInteger(tokens))
    .sort((a, b) => a - b);
  return splits.map((recomputedTokens) => {
    const split = layers.groups.map((group) => {
      const attended = attendedBy(group, context);
      // A windowed layer recomputes the same share of what it attends.
      const recomputed = Math.round((recomputedTokens / context) * attended);
      return { ...NO_TOKENS, recomputed, transferred: attended - recomputed };
    });
    const closedForm = layers.groups.reduce(
      (sum, group, g) =>
        sum + group.layers * rowObjectiveSeconds(cost, split[g].recomputed, attendedBy(group, context)),
      0,
    );
    return {
      recomputedTokens,
      simulatedSeconds: model.endSeconds({ contexts: [context], splits: [split] }),
      closedFormSeconds: kernels + scenario.workload.microBatches * closedForm,
      boundSeconds: bound,
    };
  });
}
