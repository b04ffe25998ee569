import type { PlanModel } from '../../../sim/plan/plan.ts';

/** Numbers of a model for plans whose kernels nobody executes. */
export const PLAN_MODEL: PlanModel = {
  batch: 1,
  heads: 1,
  kvHeads: 1,
  headDim: 8,
  ropeTheta: 10_000,
  normEpsilon: 1e-5,
  activation: 'relu',
};
