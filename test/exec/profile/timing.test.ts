import { describe, expect, it } from 'vitest';
import { handoverSeconds, secondsEach, secondsTogether } from '../../../exec/profile/timing.ts';

const times = (pairs: [number, number][]) => ({
  startSeconds: Float64Array.from(pairs, ([start]) => start),
  endSeconds: Float64Array.from(pairs, ([, end]) => end),
});

describe('seconds of an operation in a chain', () => {
  it('count from end to end, gaps included, the first operation aside', () => {
    const chain = times([
      [0, 9],
      [10, 11],
      [12, 13],
      [14, 15],
    ]);
    expect(secondsEach(chain, { first: 0, count: 4 })).toBe(2);
  });

  it('are those of a lone one from its start to its end', () => {
    expect(
      secondsEach(
        times([
          [0, 9],
          [10, 13],
        ]),
        { first: 1, count: 1 },
      ),
    ).toBe(3);
  });
});

describe('seconds of operations of two chains', () => {
  it('count while both run', () => {
    // The second chain stops at 7: the first is faster from then on.
    const both = times([
      [0, 2],
      [2, 4],
      [4, 6],
      [6, 7],
      [7, 8],
      [8, 9],
      [0, 3],
      [3, 7],
    ]);
    const chains = [
      { first: 0, count: 6 },
      { first: 6, count: 2 },
    ];
    // Ends from 3 to 7: 4, 6, 7 and 3, 7.
    expect(secondsTogether(both, chains)).toEqual([1.5, 4]);
  });

  it('are unknown where the chains hardly meet', () => {
    const apart = times([
      [0, 1],
      [1, 2],
      [5, 6],
      [6, 7],
    ]);
    expect(
      secondsTogether(apart, [
        { first: 0, count: 2 },
        { first: 2, count: 2 },
      ]),
    ).toBeUndefined();
  });
});

describe('the gap between operations of a pair', () => {
  it('is the median one, the first pair and what lies between pairs aside', () => {
    expect(
      handoverSeconds(
        times([
          [0, 1],
          [9, 10],
          [19, 20],
          [21, 22],
          [32, 33],
          [36, 37],
          [47, 48],
          [50, 51],
        ]),
      ),
    ).toBe(2);
  });

  it('is positive where the clock shows none', () => {
    expect(
      handoverSeconds(
        times([
          [0, 1],
          [1, 2],
          [2, 3],
          [3, 4],
        ]),
      ),
    ).toBe(1e-9);
  });
});
