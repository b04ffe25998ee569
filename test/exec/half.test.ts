import { describe, expect, it } from 'vitest';
import { widened } from '../../exec/half.ts';

const bytesOf = (halves: number[]) => new Uint8Array(Uint16Array.from(halves).buffer);

describe('widening', () => {
  it('reads IEEE binary16: normal and subnormal numbers, both zeros, infinity and NaN', () => {
    const halves = [0x3c00, 0xc000, 0x3555, 0x7bff, 0x0400, 0x03ff, 0x0001, 0x0000, 0x8000, 0xfc00, 0x7e00];
    const numbers = [1, -2, 1365 / 4096, 65504, 2 ** -14, 1023 * 2 ** -24, 2 ** -24, 0, -0, -Infinity, Number.NaN];
    expect([...widened(bytesOf(halves), 'fp16')]).toEqual(numbers);
  });

  it('reads bfloat16 as the upper half of fp32', () => {
    const halves = [0x3f80, 0xc049, 0x7f7f, 0x0001, 0x8000, 0x7f80, 0xffff];
    const numbers = [1, -3.140625, 255 * 2 ** 120, 2 ** -133, -0, Infinity, Number.NaN];
    expect([...widened(bytesOf(halves), 'bf16')]).toEqual(numbers);
  });

  it('reads fp32 from any offset', () => {
    const bytes = new Uint8Array(9);
    bytes.set(new Uint8Array(Float32Array.of(0.1, -7).buffer), 1);
    expect([...widened(bytes.subarray(1), 'fp32')]).toEqual([Math.fround(0.1), -7]);
  });
});
