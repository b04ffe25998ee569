import { describe, expect, it } from 'vitest';
import { turns } from '../../../exec/validate/turns.ts';

describe('the turns of configurations', () => {
  it('let each have one in every round', () => {
    for (let round = 0; round < 20; round++) {
      expect(turns(13, round).sort((a, b) => a - b)).toEqual(Array.from({ length: 13 }, (_, i) => i));
    }
  });

  it('are in another order in each round, the same in every session', () => {
    const orders = Array.from({ length: 20 }, (_, round) => turns(13, round).join());
    expect(new Set(orders).size).toBe(20);
    expect(Array.from({ length: 20 }, (_, round) => turns(13, round).join())).toEqual(orders);
  });

  it('favour no place: over many rounds each configuration has every turn about as often', () => {
    const often = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    for (let round = 0; round < 4000; round++) {
      turns(4, round).forEach((configuration, turn) => {
        often[configuration][turn]++;
      });
    }
    for (const count of often.flat()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
