import type { Execution } from '../native.ts';
import type { ChainRange } from './chain.ts';

type Times = Pick<Execution, 'startSeconds' | 'endSeconds'>;

/** Seconds of an operation in a chain, the gap before it included: from end to end, the first one only warms up. A lone one's own time. */
export function secondsEach({ startSeconds, endSeconds }: Times, { first, count }: ChainRange): number {
  if (count === 1) return endSeconds[first] - startSeconds[first];
  return (endSeconds[first + count - 1] - endSeconds[first]) / (count - 1);
}

/**
 * Seconds of an operation of each chain while all chains run: of those operations alone that end while none has stopped, the first of
 * each aside. Undefined where a chain has fewer than two ends then.
 */
export function secondsTogether({ endSeconds }: Times, chains: readonly ChainRange[]): number[] | undefined {
  const from = Math.max(...chains.map(({ first }) => endSeconds[first]));
  const to = Math.min(...chains.map(({ first, count }) => endSeconds[first + count - 1]));
  const seconds = chains.map(({ first, count }) => {
    const ends = Array.from(endSeconds.subarray(first, first + count)).filter((end) => end >= from && end <= to);
    return ends.length < 2 ? Number.NaN : (ends[ends.length - 1] - ends[0]) / (ends.length - 1);
  });
  return seconds.some(Number.isNaN) ? undefined : seconds;
}

/**
 * Median gap between the end of an operation and the start of the one after it, of pairs one after another: at least the clock's
 * nanosecond, the first pair aside.
 */
export function handoverSeconds({ startSeconds, endSeconds }: Times): number {
  const gaps: number[] = [];
  for (let i = 3; i < startSeconds.length; i += 2) gaps.push(startSeconds[i] - endSeconds[i - 1]);
  gaps.sort((a, b) => a - b);
  return Math.max(1e-9, gaps[gaps.length >> 1]);
}
