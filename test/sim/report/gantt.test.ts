import { expect, test } from 'vitest';
import { ganttSpec } from '../../../sim/report/gantt.ts';
import { GROUP_STYLE } from '../../../sim/report/theme.ts';
import { pipeline } from './fixture.ts';
import { at, complaints, rowsAt, textsOf } from './vega.ts';

const { plan, timeline } = pipeline();
const title = 'The link is busy all the time';

test('a step is drawn without complaint, with its title, its streams and a time axis that has a unit', async () => {
  const spec = ganttSpec(plan, timeline, { title });
  expect(complaints(spec)).toEqual([]);
  expect(spec.$schema).toBe('https://vega.github.io/schema/vega-lite/v6.json');
  const texts = await textsOf(spec);
  for (const text of [
    title,
    'Host to device copies',
    'Device to host copies',
    'GPU compute',
    'Time from the start of step 0 (ms)',
    'copy activation',
    'copy KV',
    'recompute K,V',
    'block',
    'store',
  ]) {
    expect(texts).toContain(text);
  }
  expect(texts).not.toContain('Host attention');
});

test('neighbouring operations of a stream that do the same for a layer are one bar', () => {
  const spec = ganttSpec(plan, timeline, { title, layers: 3 });
  const recomputes = rowsAt(spec).filter((bar) => bar.work === 'recompute K,V');
  expect(recomputes.map((bar) => [bar.layer, bar.operations])).toEqual([
    [0, 2],
    [1, 2],
    [2, 2],
  ]);
});

test('a block that waits in its middle stays two bars', () => {
  const spec = ganttSpec(plan, timeline, { title, layers: 3 });
  const blocks = rowsAt(spec).filter((bar) => bar.work === 'block' && bar.layer === 1);
  expect(blocks.map((bar) => bar.operations)).toEqual([2, 4]);
});

test('a plan of many layers shows the first ones and says so, and everything that runs meanwhile', () => {
  const spec = ganttSpec(plan, timeline, { title });
  expect(`${at(spec, 'title', 'subtitle')}`).toMatch(/^Step 0, layers 0 to 4 of 32\./);
  const layersOf = (row: string) => new Set(rowsAt(spec).flatMap((bar) => (bar.row === row ? [bar.layer] : [])));
  expect(layersOf('GPU compute')).toEqual(new Set([0, 1, 2, 3, 4]));
  expect(layersOf('Host to device copies')).toEqual(new Set([0, 1, 2, 3, 4, 5]));
});

test('a later step is drawn from the end of the step before it', () => {
  const spec = ganttSpec(plan, timeline, { title, stepFrom: 1, layers: 32 });
  const lengths = rowsAt(spec).map((bar) => bar.end as number);
  expect(Math.min(...rowsAt(spec).map((bar) => bar.start as number))).toBe(0);
  expect(Math.max(...lengths)).toBeCloseTo((timeline.makespanSeconds * 1e3) / 2, 0);
  expect(`${at(spec, 'title', 'subtitle')}`).toMatch(/^Step 1, all 32 layers\./);
});

test('with micro-batches, bars and their numbers tell them apart', () => {
  const twice = pipeline({ layers: 32, steps: 1 });
  const microBatch = twice.plan.microBatch.map((_, i) => Math.floor((2 * i) / twice.plan.count));
  const spec = ganttSpec({ ...twice.plan, microBatches: 2, microBatch }, twice.timeline, { title });
  expect(`${at(spec, 'title', 'subtitle')}`).toMatch(/layers 0 to 1 of 32, 2 micro-batches\. .* layer\/micro-batch;/);
  expect(rowsAt(spec).map((bar) => bar.label)).toContain('copy KV 1/0');
});

test('each stream says how much of the time it is busy, gaps too small to see not counted', () => {
  const long = pipeline({ layers: 32, steps: 40 });
  const spec = ganttSpec(long.plan, long.timeline, { title, steps: 40 });
  const busySeconds = [0, 0, 0, 0];
  for (let i = 0; i < long.plan.count; i++) {
    busySeconds[long.plan.stream[i]] += long.timeline.endSeconds[i] - long.timeline.startSeconds[i];
  }
  const share = Math.round((busySeconds[2] / long.timeline.makespanSeconds) * 100);
  expect(rowsAt(spec, 'layer', 2).map((row) => row.busy)).toEqual(['100 % busy', '<1 % busy', `${share} % busy`]);
});

test('several steps are drawn with all their layers', () => {
  const spec = ganttSpec(plan, timeline, { title, steps: 2 });
  expect(`${at(spec, 'title', 'subtitle')}`).toMatch(/^Steps 0 to 1, all 32 layers\./);
  expect(new Set(rowsAt(spec).map((bar) => bar.step))).toEqual(new Set([0, 1]));
});

test('a picture ends where it would hold too many bars, and says so', () => {
  const spec = ganttSpec(plan, timeline, { title, layers: 32, maxBars: 50 });
  expect(rowsAt(spec)).toHaveLength(50);
  expect(`${at(spec, 'title', 'subtitle')}`).toContain('cut after 50 bars');
});

test('a plan that takes no time is drawn as empty time', async () => {
  const nothing = { startSeconds: new Float64Array(plan.count), endSeconds: new Float64Array(plan.count) };
  const spec = ganttSpec(plan, { ...nothing, makespanSeconds: 0 }, { title });
  expect(complaints(spec)).toEqual([]);
  expect(rowsAt(spec)).toEqual([]);
  expect(await textsOf(spec)).toContain('Time from the start of step 0 (µs)');
});

test('the same plan gives the same specification', () => {
  expect(JSON.stringify(ganttSpec(plan, timeline, { title }))).toBe(
    JSON.stringify(ganttSpec(plan, timeline, { title })),
  );
});

test("a step that the plan does not have and another plan's timeline are refused", () => {
  expect(() => ganttSpec(plan, timeline, { title, stepFrom: 2 })).toThrow(RangeError);
  expect(() => ganttSpec(plan, pipeline({ layers: 1 }).timeline, { title })).toThrow(RangeError);
});

test('groups that share a row differ in lightness', () => {
  const lightness = (fill: string) => {
    const [red, green, blue] = [1, 3, 5].map((i) => Number.parseInt(fill.slice(i, i + 2), 16) / 255);
    const luminance = [red, green, blue]
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
    return luminance > 0.008856 ? 116 * Math.cbrt(luminance) - 16 : 903.3 * luminance;
  };
  const rows = [
    ['copy-weights', 'copy-kv', 'copy-activation'],
    ['head', 'block', 'recompute', 'embed'],
  ] as const;
  for (const row of rows) {
    const values = row.map((group) => lightness(GROUP_STYLE[group].fill));
    for (let i = 1; i < values.length; i++) expect(values[i] - values[i - 1]).toBeGreaterThan(12);
  }
});
