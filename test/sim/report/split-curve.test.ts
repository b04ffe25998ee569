import { expect, test } from 'vitest';
import { type SplitCurve, splitCurveSpec } from '../../../sim/report/split-curve.ts';
import { at, complaints, rowsAt, textsOf } from './vega.ts';

const points = Array.from({ length: 9 }, (_, i) => ({
  recomputedTokens: i * 64,
  simulatedSeconds: 0.4 + 0.01 * Math.abs(i - 5),
  closedFormSeconds: i > 6 ? null : 0.4 + 0.012 * Math.abs(i - 4),
  boundSeconds: 0.3,
}));
const curve: SplitCurve = {
  title: 'Recomputing 320 of 512 tokens is best',
  subtitle: 'opt-6.7b on a100-pcie-40gb',
  points,
  chosen: { recomputedTokens: 320, seconds: 0.4 },
};

test('a curve is drawn without complaint, with its title, axes that have units and a label for each line', async () => {
  const spec = splitCurveSpec(curve);
  expect(complaints(spec)).toEqual([]);
  const texts = await textsOf(spec);
  for (const text of [
    curve.title,
    curve.subtitle,
    'Recomputed tokens of the context',
    'Time of a step (ms)',
    'simulation',
    'bound',
    'chosen: 320 tokens, 400 ms',
  ]) {
    expect(texts).toContain(text);
  }
  expect(texts.some((text) => text.includes('closed form'))).toBe(true);
});

test('every line holds its points in the unit of the axis, and none where it has no time', () => {
  const rows = rowsAt(splitCurveSpec(curve), 'layer', 0);
  const line = (name: string) => rows.filter((row) => row.line === name).map((row) => [row.tokens, row.time]);
  expect(line('simulation')).toEqual(points.map((point) => [point.recomputedTokens, point.simulatedSeconds * 1e3]));
  expect(line("paper's closed form")).toHaveLength(7);
  expect(line('bound')).toHaveLength(9);
});

test("the paper's choice is marked beside the chosen split", async () => {
  const closedFormChosen = { recomputedTokens: 256, seconds: 0.4 };
  const spec = splitCurveSpec({ ...curve, closedFormChosen });
  expect(complaints(spec)).toEqual([]);
  expect(rowsAt(spec, 'layer', 2).map((row) => row.tokens)).toEqual([320, 256]);
  expect((await textsOf(spec)).filter((text) => text.endsWith('256 tokens, 400 ms'))).toHaveLength(1);
});

test('the labels of lines that end together stand apart', () => {
  const same = points.map((point) => ({ ...point, closedFormSeconds: 0.4, boundSeconds: 0.4, simulatedSeconds: 0.4 }));
  const spec = splitCurveSpec({ ...curve, points: same });
  const times = rowsAt(spec, 'layer', 1).map((row) => row.time as number);
  const [low, high] = at(spec, 'layer', 0, 'encoding', 'y', 'scale', 'domain') as [number, number];
  const pixels = times.map((time) => ((time - low) / (high - low)) * 340).sort((a, b) => a - b);
  expect(pixels[1] - pixels[0]).toBeGreaterThanOrEqual(16.9);
  expect(pixels[2] - pixels[1]).toBeGreaterThanOrEqual(16.9);
});

test('a curve of one point at zero is drawn with finite numbers', () => {
  const point = { recomputedTokens: 0, simulatedSeconds: 0, closedFormSeconds: null, boundSeconds: null };
  const spec = splitCurveSpec({ title: '', points: [point], chosen: { recomputedTokens: 0, seconds: 0 } });
  expect(complaints(spec)).toEqual([]);
  const [low, high] = at(spec, 'layer', 0, 'encoding', 'y', 'scale', 'domain') as [number, number];
  expect(high).toBeGreaterThan(low);
});
