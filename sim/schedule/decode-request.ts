import type { ModelShape } from '../model/shape.ts';
import type { Placement, Precisions } from '../scenario/scenario.ts';
import type { Schedule } from './schedule.ts';
import type { Steps } from './token-ranges.ts';

/** Some decode steps to build a plan for. */
export interface DecodeRequest extends Steps {
  shape: ModelShape;
  schedule: Schedule;
  batch: number;
  microBatches: number;
  precision: Precisions;
  placement: Placement;
  /** Each step's split is planned anew, so that tokens generated later may be recomputed too. */
  replans: boolean;
  /** Other steps of the same decode, simulated elsewhere: caches hold their tokens too, and stores serve them. */
  otherSteps?: Steps;
}
