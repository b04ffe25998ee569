import type { Machine } from '../machine/machine.ts';
import type { ModelShape } from '../model/shape.ts';
import type { Precision } from '../plan/plan.ts';
import type { ScheduleName } from '../schedule/names.ts';
import type { SplitTokens } from '../schedule/split-tokens.ts';

interface Workload {
  /** Sequences in one micro-batch. */
  batch: number;
  promptTokens: number;
  generatedTokens: number;
  /** Micro-batches that share one load of a layer's weights. */
  microBatches: number;
}

/** Precision of each kind of tensor. */
export interface Precisions {
  weights: Precision;
  kv: Precision;
  activations: Precision;
}

export type Home = 'gpu' | 'host';

/** Where tensors live; `kv` is the home of tokens that are not resident. */
export interface Placement {
  weights: Home;
  kv: Home;
}

/** A share of the context as it was asked for; a fraction is of the first step's context, 0 to 1. */
export type TokenShare = { tokens: number } | { fraction: number };

/** How the first step's context is to be split; what is not named is transferred. */
export type SplitRequest = Partial<Record<keyof SplitTokens, TokenShare>>;

/** A question to the planner, resolved: names are looked up, quantities are plain numbers, defaults are filled in. */
export interface Scenario {
  name: string;
  model: ModelShape;
  machine: Machine;
  workload: Workload;
  precision: Precisions;
  placement: Placement;
  /** Schedules to consider; undefined: all that apply. */
  schedules: ScheduleName[] | undefined;
  split: 'auto' | SplitRequest;
}
