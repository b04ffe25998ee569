import { median, quantile } from 'simple-statistics';

/** Repeats of one measurement in short. */
export interface RepeatSummary {
  median: number;
  p05: number;
  p95: number;
  n: number;
}

export function summariseRepeats(values: readonly number[]): RepeatSummary {
  const all = [...values];
  return { median: median(all), p05: quantile(all, 0.05), p95: quantile(all, 0.95), n: all.length };
}
