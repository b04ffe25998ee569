import { Resvg } from '@resvg/resvg-js';
import { expect, test } from 'vitest';
import { INTER, trueTypeMeasure } from '../../../cli/render/fonts.ts';

/** Width of the text as resvg draws it, in ems: from the first to the last pixel that is not empty. */
function drawnWidth(text: string, weight: number): number {
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="4000" height="200"><text x="20" y="140" font-size="100" ` +
    `font-family="Inter" font-weight="${weight}">${text}</text></svg>`;
  const fontFiles = [INTER.regular, INTER.bold];
  return new Resvg(svg, { font: { loadSystemFonts: false, fontFiles } }).getBBox()!.width / 100;
}

test.each([
  [400, INTER.regular],
  [700, INTER.bold],
])('text of weight %d is measured as it is drawn, but for kerning and the margins of glyphs', (weight, file) => {
  const measure = trueTypeMeasure(file);
  for (const text of ['Mean time of a step (ms)', 'copy KV 12', '0.123 µs × 1,024 – 5 %…']) {
    const drawn = drawnWidth(text, weight);
    expect(Math.abs(measure(text) / drawn - 1)).toBeLessThan(0.06);
  }
});

test('widths add up, and characters that the font lacks count too', () => {
  const measure = trueTypeMeasure(INTER.regular);
  expect(measure('')).toBe(0);
  expect(measure('ab')).toBeCloseTo(measure('a') + measure('b'), 12);
  expect(measure('\u{1f642}')).toBeGreaterThan(0);
});
