import type { Repeats } from './profile.ts';

/** Every repeat multiplied. */
export function times({ median, p05, p95, n, samples }: Repeats, factor: number): Repeats {
  return {
    median: factor * median,
    p05: factor * p05,
    p95: factor * p95,
    n,
    ...(samples && { samples: samples.map((seconds) => factor * seconds) }),
  };
}
