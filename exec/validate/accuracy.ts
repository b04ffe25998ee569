import { mean, median, quantile } from 'simple-statistics';

/** How far predictions are from measurements, relative to the measurement. */
export interface ErrorSummary {
  median: number;
  p95: number;
  /** Mean absolute percentage error, as a fraction. */
  mape: number;
}

/** |predicted − measured| ÷ measured. */
export function relativeError(predicted: number, measured: number): number {
  return Math.abs(predicted - measured) / measured;
}

/** @param errors at least one */
export function summariseErrors(errors: readonly number[]): ErrorSummary {
  const all = [...errors];
  return { median: median(all), p95: quantile(all, 0.95), mape: mean(all) };
}
