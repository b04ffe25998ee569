import type { MachineSummary } from '../machine/summary.ts';
import type { ModelSummary } from '../model/quantities.ts';
import type { ScheduleName } from '../schedule/names.ts';
import type { SplitTokens } from '../schedule/split-tokens.ts';
import type { Strategy } from './splits.ts';

export type { MachineSummary, ModelSummary, SplitTokens };

/** Busy share of each resource over the decode, 0 to 1. `gpu` is the share of time in which a kernel runs. */
export interface Utilisation {
  h2d: number;
  d2h: number;
  gpu: number;
  hostDram: number;
  hostCores: number;
}

/** What limits a candidate: its busiest resource, or `dependencies` where none is busy most of the time. */
export type Bottleneck = 'h2d' | 'd2h' | 'gpu' | 'hostDram' | 'hostCores' | 'dependencies';

/** One schedule with its best (or the asked) split. */
export interface Candidate {
  schedule: ScheduleName;
  feasible: boolean;
  /** Which pool lacks how many bytes; null where the plan fits. */
  infeasibleBecause: string | null;
  /** First step, mean over layers. */
  split: SplitTokens;
  firstStepSeconds: number;
  lastStepSeconds: number;
  /** Mean over the steps. */
  stepSeconds: number;
  decodeSeconds: number;
  tokensPerSecond: number;
  /** Lower bound of the mean step. */
  boundSeconds: number;
  /** stepSeconds ÷ boundSeconds − 1. */
  gap: number;
  bottleneck: Bottleneck;
  utilisation: Utilisation;
  /** Mean over the steps. */
  bytesPerStep: { h2d: number; d2h: number };
  peakBytes: { gpu: number; host: number };
  /** Steps that were simulated operation by operation; the rest lie between them. */
  simulatedSteps: number;
  /** How each step's split was chosen where they are the planner's to choose. */
  strategy: Strategy;
}

/** The paper's row-by-row objective (KVPR, section 3.2) at s = promptTokens, per layer and step. */
export interface AnalyticSplit {
  splitTokens: number;
  activationSeconds: number;
  recomputeSeconds: number;
  kvSeconds: number;
  objectiveSeconds: number;
}

export type Verdict = 'recompute' | 'do-not-recompute' | 'undecided';

export interface Recommendation {
  schedule: ScheduleName;
  split: SplitTokens;
  /** Over the best feasible other candidate that recomputes nothing; 1 where there is none. */
  speedup: number;
  verdict: Verdict;
  /** Plain words with numbers. */
  because: string;
}

/** The answer of `plan`. Seconds, bytes and tokens throughout; every number is finite. */
export interface PlanResult {
  scenario: string;
  model: ModelSummary;
  machine: MachineSummary;
  workload: { batch: number; promptTokens: number; generatedTokens: number; microBatches: number };
  contextTokens: number;
  bound: { decodeSeconds: number; firstStepSeconds: number };
  analytic: AnalyticSplit;
  /** Best first; those that do not fit come last. */
  candidates: Candidate[];
  recommendation: Recommendation | null;
}
