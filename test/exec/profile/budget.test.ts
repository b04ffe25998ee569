import { expect, it, vi } from 'vitest';
import { Budget } from '../../../exec/profile/budget.ts';

it('sections share the time by weight, and what one leaves over is the later ones’', () => {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  const budget = new Budget(100, [1, 1, 2]);
  expect(budget.next(1)).toBe(25);
  clock.mockReturnValue(10_000);
  expect(budget.next(1)).toBe(30);
  clock.mockReturnValue(200_000);
  expect(budget.next(2)).toBe(0);
  clock.mockRestore();
});
