import type { Candidate, PlanResult } from '../planner/result.ts';
import { type SplitPoint, splitCurve } from '../planner/split-curve.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { scheduleNamed } from '../schedule/catalogue.ts';
import { formatSeconds } from '../units/format.ts';
import { splitCurveSpec } from './split-curve.ts';
import type { PictureSpec } from './theme.ts';

/** The best candidate whose split is the planner's to choose; undefined where none considered has one. */
export function splitCandidate({ candidates }: PlanResult): Candidate | undefined {
  return candidates.find(({ schedule }) => scheduleNamed(schedule).recompute !== 'none');
}

/** Step time against the split of the best schedule that has one, for the first step. */
export function splitPicture(scenario: Scenario, result: PlanResult, candidate: Candidate): PictureSpec {
  const context = result.contextTokens;
  const limit = scheduleNamed(candidate.schedule).recompute === 'prompt' ? scenario.workload.promptTokens : context;
  const chosenTokens = Math.min(Math.round(candidate.split.recomputed), limit);
  const paperTokens = result.analytic.splitTokens;
  const points = splitCurve(scenario, candidate.schedule, [chosenTokens, paperTokens]);
  const at = (tokens: number) => points.find((point) => point.recomputedTokens === tokens)!;
  const chosen = at(chosenTokens);
  return splitCurveSpec({
    title: finding(candidate.schedule, chosen, points[0]),
    subtitle: `${result.scenario}; first step, ${context} cached tokens. The closed form is that of kvpr-row, without prefetching`,
    points,
    chosen: { recomputedTokens: chosenTokens, seconds: chosen.simulatedSeconds },
    closedFormChosen: { recomputedTokens: paperTokens, seconds: at(paperTokens).closedFormSeconds },
  });
}

function finding(schedule: string, chosen: SplitPoint, none: SplitPoint): string {
  const seconds = formatSeconds(chosen.simulatedSeconds);
  if (chosen.recomputedTokens === 0) return `${schedule}: recomputing nothing is best, ${seconds} a step`;
  const less = 100 * (1 - chosen.simulatedSeconds / none.simulatedSeconds);
  return `${schedule}: recomputing ${chosen.recomputedTokens} tokens takes ${seconds} a step, ${less.toFixed(0)} % less than recomputing none`;
}
