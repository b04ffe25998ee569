import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestNames } from '../../../sim/units/nearest.ts';

const NAMES = ['a100-pcie-40gb', 'a100-pcie-80gb', 'a100-sxm-40gb', 'a100-sxm-80gb', 'h100-sxm', 'rtx-4090', 't4'];

describe('nearestNames', () => {
  it('finds a name despite a slip of the pen', () => {
    expect(nearestNames('rtx-4009', NAMES)[0]).toBe('rtx-4090');
    expect(nearestNames('h100-smx', NAMES)[0]).toBe('h100-sxm');
  });

  it('ignores case and separators', () => {
    expect(nearestNames('RTX 4090', NAMES)[0]).toBe('rtx-4090');
  });

  it('offers names that contain what was typed, at most three', () => {
    expect(nearestNames('a100', NAMES)).toEqual(['a100-pcie-40gb', 'a100-pcie-80gb', 'a100-sxm-40gb']);
  });

  it('offers names that begin with the same word where no other is near', () => {
    expect(nearestNames('rtx-9999', NAMES)).toEqual(['rtx-4090']);
    expect(nearestNames('RTX', ['rtx', 'x'])[0]).toBe('rtx');
  });

  it('offers nothing where nothing is near', () => {
    expect(nearestNames('tpu-v5e', NAMES)).toEqual([]);
    expect(nearestNames('', NAMES)).toEqual([]);
  });

  it('offers a known name first when it is typed exactly', () => {
    fc.assert(
      fc.property(fc.constantFrom(...NAMES), (name) => {
        expect(nearestNames(name, NAMES)[0]).toBe(name);
      }),
    );
  });

  it('answers any text with known names only', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 5000 }), (text) => {
        const nearest = nearestNames(text, NAMES);
        expect(nearest.length).toBeLessThanOrEqual(3);
        expect(NAMES).toEqual(expect.arrayContaining(nearest));
      }),
    );
  });
});
