import type { GroupName } from '../../sim/plan/plan.ts';
import type { ScheduleName } from '../../sim/schedule/names.ts';
import type { SplitTokens } from '../../sim/schedule/split-tokens.ts';
import type { Backend } from '../native.ts';
import type { RepeatSummary } from '../repeats.ts';
import type { ErrorSummary } from './accuracy.ts';

/** A configuration predicted and measured; seconds are those of a step, mean over the executed steps. */
export interface ValidatedRun {
  name: string;
  schedule: ScheduleName;
  split: SplitTokens;
  predictedSeconds: number;
  measuredSeconds: RepeatSummary;
  /** |predicted − measured median| ÷ measured median. */
  error: number;
  /** Seconds of each group's operations in a step: predicted, and the median of the repeats. */
  groups: Partial<Record<GroupName, { predictedSeconds: number; measuredSeconds: number; error: number }>>;
  /** Host time to enqueue a step, none of it in the times above. */
  enqueueSeconds: number;
  /** How often the streams were held back and emptied: beyond 1, what overlaps between those parts is lost. */
  gates: number;
}

/** What `validate --json` prints. */
export interface ValidationReport {
  backend: Backend;
  device: string;
  scenario: string;
  /** Where the predicted costs come from. */
  machine: string;
  steps: number;
  linkBytesPerSecond?: number;
  runs: ValidatedRun[];
  /** `bias`: median of predicted ÷ measured − 1, negative where predictions are too short. */
  stepError: ErrorSummary & { bias: number };
  operationError: Partial<Record<GroupName, { median: number; p95: number }>>;
  /** Measured time of the chosen run over the best measured one, − 1; null where the planner finds that nothing fits. */
  regret: number | null;
  /** Names of runs. */
  chosen: string | null;
  bestMeasured: string;
  /** Largest relative difference of a configuration's logits from those of the first one; null where some are no numbers. */
  agreement: number | null;
}
