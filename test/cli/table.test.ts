import { describe, expect, it } from 'vitest';
import { tableLines } from '../../cli/table.ts';

describe('a table', () => {
  it('aligns text left and numbers right, with the unit below the title', () => {
    const columns = [
      { title: 'name', value: ({ name }: { name: string; size: number | null }) => name },
      { title: 'size', unit: 'GB', value: ({ size }: { name: string; size: number | null }) => size },
    ];
    const rows = [
      { name: 'a', size: 1234.5 },
      { name: 'long', size: 1.234 },
      { name: 'none', size: null },
    ];
    expect(tableLines(columns, rows)).toEqual([
      'name      size',
      '            GB',
      'a     1,234.50',
      'long      1.23',
      'none         –',
    ]);
  });

  it('shows whole numbers without decimals and has no line for units where there are none', () => {
    expect(tableLines([{ title: 'n', value: (n: number) => n }], [1, 20])).toEqual([' n', ' 1', '20']);
  });

  it('writes a minus sign before what is less than nothing', () => {
    expect(tableLines([{ title: 'n', value: (n: number) => n }], [-1234])).toEqual(['     n', '−1,234']);
  });

  it('keeps three digits of the smallest number', () => {
    expect(tableLines([{ title: 'n', value: (n: number) => n }], [0, 0.01234])).toEqual(['     n', '0.0000', '0.0123']);
  });
});
