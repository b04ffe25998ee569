import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitTokens } from '../../../sim/scenario/split.ts';

describe('an asked split', () => {
  it('transfers what is not named', () => {
    expect(splitTokens({ recomputed: { tokens: 380 } }, 512)).toEqual({
      resident: 0,
      recomputed: 380,
      transferred: 132,
      hostAttended: 0,
    });
    expect(splitTokens({}, 512)).toEqual({ resident: 0, recomputed: 0, transferred: 512, hostAttended: 0 });
  });

  it('rounds percentages to whole tokens', () => {
    expect(splitTokens({ recomputed: { fraction: 0.37 }, resident: { fraction: 0.1 } }, 512)).toEqual({
      resident: 51,
      recomputed: 190,
      transferred: 271,
      hostAttended: 0,
    });
  });

  it('adds up to the context exactly, also where every percentage would round up', () => {
    expect(splitTokens({ resident: { fraction: 0.5 }, recomputed: { fraction: 0.5 } }, 511)).toMatchObject({
      transferred: 0,
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.tuple(fc.nat(100), fc.nat(100), fc.nat(100)),
        (context, parts) => {
          const whole = Math.max(100, parts[0] + parts[1] + parts[2]);
          const [resident, recomputed, hostAttended] = parts.map((part) => ({ fraction: part / whole }));
          const split = Object.values(splitTokens({ resident, recomputed, hostAttended }, context));
          expect(split.reduce((sum, tokens) => sum + tokens, 0)).toBe(context);
          for (const tokens of split) expect(Number.isInteger(tokens) && tokens >= 0).toBe(true);
        },
      ),
    );
  });

  it('may name every way where the shares add up', () => {
    const quarter = { fraction: 0.25 };
    const request = { resident: quarter, recomputed: quarter, transferred: quarter, hostAttended: quarter };
    expect(splitTokens(request, 512)).toEqual({ resident: 128, recomputed: 128, transferred: 128, hostAttended: 128 });
  });

  it('is refused beyond the context, and short of it where the transferred tokens are named', () => {
    expect(() => splitTokens({ hostAttended: { tokens: 513 } }, 512)).toThrow(
      /found hostAttended 513 = 513 tokens, expected at most/,
    );
    expect(() => splitTokens({ transferred: { tokens: 511 } }, 512)).toThrow(/expected exactly/);
  });
});
