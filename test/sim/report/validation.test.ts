import { expect, test } from 'vitest';
import {
  errorDistributionSpec,
  type ValidatedPoint,
  type Validation,
  validationCurvesSpec,
} from '../../../sim/report/validation.ts';
import { at, complaints, rowsAt, textsOf } from './vega.ts';

function point(schedule: string, recomputedTokens: number, predicted: number, measured: number): ValidatedPoint {
  const measuredSeconds = { median: measured, p05: 0.99 * measured, p95: 1.02 * measured };
  return { schedule, recomputedTokens, predictedSeconds: predicted, measuredSeconds, chosen: false };
}

const curve = (schedule: string, fastest: number) =>
  Array.from({ length: 9 }, (_, i) =>
    point(schedule, 32 * i, fastest + 2e-3 * Math.abs(i - 5), fastest + 2.1e-3 * Math.abs(i - 5)),
  );

const VALIDATION: Validation = {
  title: 'The choice, kvpr-pipelined 160, is the best of 20 measured',
  subtitle: 'small, executed on a device',
  points: [
    point('transfer', 0, 0.03, 0.031),
    ...curve('kvpr-row', 0.022),
    ...curve('kvpr-pipelined', 0.02).map((each) => ({ ...each, chosen: each.recomputedTokens === 160 })),
    point('activation', 256, 0.026, 0.024),
  ],
};

const relativeLuminance = (hex: string) => {
  const [r, g, b] = [1, 3, 5].map((from) => Number.parseInt(hex.slice(from, from + 2), 16) / 255);
  return 0.2126 * r ** 2.2 + 0.7152 * g ** 2.2 + 0.0722 * b ** 2.2;
};

test('curves are drawn without complaint, with title, axes that have units, and a name for every schedule', async () => {
  const spec = validationCurvesSpec(VALIDATION);
  expect(complaints(spec)).toEqual([]);
  const texts = await textsOf(spec);
  for (const text of [
    VALIDATION.title,
    VALIDATION.subtitle,
    'Recomputed tokens of the context',
    'Time of a step (ms)',
    'kvpr-row',
    'kvpr-pipelined',
    'transfer',
    'activation',
    'chosen',
  ]) {
    expect(texts).toContain(text);
  }
});

test('every configuration is in the panel of its schedule, in the unit of the axis', () => {
  const spec = validationCurvesSpec(VALIDATION);
  const [curves, single] = [rowsAt(spec, 'hconcat', 0), rowsAt(spec, 'hconcat', 1)];
  expect(curves).toHaveLength(18);
  expect(single.map(({ schedule }) => schedule)).toEqual(['transfer', 'activation']);
  const [transfer] = VALIDATION.points;
  expect(single[0]).toMatchObject({ tokens: 0, predicted: 1e3 * transfer.predictedSeconds });
  expect(single[0].measured).toBeCloseTo(1e3 * transfer.measuredSeconds.median, 9);
  expect(single[0].low).toBeCloseTo(1e3 * transfer.measuredSeconds.p05, 9);
  expect(single[0].high).toBeCloseTo(1e3 * transfer.measuredSeconds.p95, 9);
  expect(curves.filter(({ chosen }) => chosen)).toHaveLength(1);
});

test('both panels have one scale, on which every median and prediction lies', () => {
  const spec = validationCurvesSpec(VALIDATION);
  const domain = (panel: number) =>
    at(spec, 'hconcat', panel, 'layer', 0, 'encoding', 'y', 'scale', 'domain') as [number, number];
  expect(domain(1)).toEqual(domain(0));
  for (const { predictedSeconds, measuredSeconds } of VALIDATION.points) {
    for (const seconds of [predictedSeconds, measuredSeconds.median]) {
      expect(1e3 * seconds).toBeGreaterThanOrEqual(domain(0)[0]);
      expect(1e3 * seconds).toBeLessThanOrEqual(domain(0)[1]);
    }
  }
});

test('one repeat that took very long does not flatten the curves, and the picture says that it is cut', async () => {
  const [first, ...others] = VALIDATION.points;
  const outlier = { ...first, measuredSeconds: { ...first.measuredSeconds, p95: 1 } };
  const spec = validationCurvesSpec({ ...VALIDATION, points: [outlier, ...others] });
  const [, top] = at(spec, 'hconcat', 0, 'layer', 0, 'encoding', 'y', 'scale', 'domain') as [number, number];
  expect(top).toBeLessThan(1e3 * 0.1);
  expect((await textsOf(spec)).some((text) => text.endsWith('longer spread is cut'))).toBe(true);
});

test('schedules remain apart in greyscale: by shape, and neighbours by lightness', () => {
  const points = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].flatMap((name) => curve(name, 0.02));
  const spec = validationCurvesSpec({ ...VALIDATION, points });
  const range = (channel: string) =>
    at(spec, 'hconcat', 0, 'layer', 2, 'encoding', channel, 'scale', 'range') as string[];
  expect(new Set(range('shape')).size).toBe(8);
  const lights = range('color').map(relativeLuminance);
  for (let i = 1; i < lights.length; i++) expect(Math.abs(lights[i] - lights[i - 1])).toBeGreaterThan(0.05);
});

test('validations without a curve, and with nothing but one, are drawn too', async () => {
  for (const points of [[VALIDATION.points[0]], curve('kvpr-row', 2e-5)]) {
    const spec = validationCurvesSpec({ ...VALIDATION, points });
    expect(complaints(spec)).toEqual([]);
    expect(await textsOf(spec)).toContain('Time of a step (ms)');
    expect(complaints(errorDistributionSpec({ ...VALIDATION, points }))).toEqual([]);
  }
});

test('errors are drawn without complaint, each on its side of zero', async () => {
  const spec = errorDistributionSpec(VALIDATION);
  expect(complaints(spec)).toEqual([]);
  const rows = at(spec, 'data', 'values') as { schedule: string; percent: number }[];
  expect(rows).toHaveLength(VALIDATION.points.length);
  expect(rows[0].percent).toBeCloseTo(100 * (0.03 / 0.031 - 1), 9);
  expect(rows[rows.length - 1].percent).toBeCloseTo(100 * (0.026 / 0.024 - 1), 9);
  const texts = await textsOf(spec);
  expect(texts).toContain('Predicted over measured step, % (left of 0: predicted too short)');
  for (const schedule of ['transfer', 'kvpr-row', 'kvpr-pipelined', 'activation']) expect(texts).toContain(schedule);
});

test.each([0, 0.003, 0.09, 0.9, 5, 40])('an error of %f finds room between round ticks', async (error) => {
  const spec = errorDistributionSpec({ ...VALIDATION, points: [point('transfer', 0, 1 + error, 1)] });
  const [low, high] = at(spec, 'vconcat', 0, 'encoding', 'x', 'scale', 'domain') as [number, number];
  expect(low).toBe(-high);
  expect(high).toBeGreaterThanOrEqual(100 * error);
  expect(high).toBeLessThanOrEqual(Math.max(2, 260 * error));
  expect((await textsOf(spec)).some((text) => /e[+-]?\d/.test(text.replace(/[a-z]{2,}/gi, '')))).toBe(false);
});

test('what names hold is text, not markup', async () => {
  const points = [point('<script>', 0, 1, 1)];
  const texts = await textsOf(validationCurvesSpec({ title: '<b>&', subtitle: '', points }));
  expect(texts).toContain('&lt;b&gt;&amp;');
  expect(texts).toContain('&lt;script&gt;');
});
