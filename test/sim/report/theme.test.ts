import { expect, test } from 'vitest';
import { percent, readable, timeUnit } from '../../../sim/report/quantities.ts';
import { cutText, wrapText } from '../../../sim/report/theme.ts';

test('cut text keeps to its length and shows that it was cut', () => {
  expect(cutText('short', 5)).toBe('short');
  expect(cutText('a long name', 7)).toBe('a long…');
  expect(cutText('two\nlines', 20)).toBe('two lines');
  expect(Array.from(cutText('🙂'.repeat(9), 4))).toHaveLength(4);
});

test('wrapped text breaks at spaces and ends after the lines it has', () => {
  expect(wrapText('one two three four', 9, 2)).toEqual(['one two', 'three fo…']);
  expect(wrapText('x'.repeat(30), 9, 2)).toEqual(['xxxxxxxxx', 'xxxxxxxx…']);
  expect(wrapText('fits', 9, 2)).toEqual(['fits']);
  for (const line of wrapText(`${'word '.repeat(50)}`, 12, 2)) expect(line.length).toBeLessThanOrEqual(12);
});

test('durations are told in the unit in which they read well', () => {
  expect([12, 0.5, 0.001, 0.0009, 0].map((seconds) => timeUnit(seconds).name)).toEqual(['s', 'ms', 'ms', 'µs', 'µs']);
});

test('numbers have three significant digits and separated thousands', () => {
  expect([0, 0.12345, 1.5, 12.345, 351.4, 1204, 1234567.8, -2.5].map(readable)).toEqual([
    '0',
    '0.123',
    '1.50',
    '12.3',
    '351',
    '1,204',
    '1,234,568',
    '-2.50',
  ]);
});

test('shares are whole percents, and a little is not nothing', () => {
  expect([0, 0.001, 0.005, 0.415, 1].map(percent)).toEqual(['0 %', '<1 %', '1 %', '42 %', '100 %']);
});
