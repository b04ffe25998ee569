import { timeUnit } from './quantities.ts';
import { type ColumnSpec, INK, MUTED, type PictureSpec, pictureTitle, SCHEMA, THEME } from './theme.ts';

/** A configuration's step, predicted and measured. */
export interface ValidatedPoint {
  schedule: string;
  recomputedTokens: number;
  predictedSeconds: number;
  measuredSeconds: { median: number; p05: number; p95: number };
  chosen: boolean;
}

export interface Validation {
  /** The finding that the pictures show. */
  title: string;
  subtitle: string;
  points: readonly ValidatedPoint[];
}

const WIDTH = 520;
const HEIGHT = 360;
/** Width of a schedule that has no split to choose. */
const SCHEDULE_WIDTH = 52;
/** Spread above this many times the longest step would flatten everything else. */
const MOST_SPREAD = 1.5;

/** Colours that differ in lightness too, and a mark for each: schedules remain apart in greyscale. */
const COLOURS = ['#0d3f75', '#e2953f', '#17694a', '#c88bb9', '#6b737c', '#8fd0c4', '#40306e', '#a35c0e'];
const SHAPES = [
  'circle',
  'square',
  'triangle-up',
  'diamond',
  'cross',
  'triangle-down',
  'triangle-right',
  'triangle-left',
];

/** A point in the unit of the axis. */
interface Row {
  schedule: string;
  tokens: number;
  predicted: number;
  measured: number;
  low: number;
  high: number;
  chosen: boolean;
}

/**
 * Vega-Lite specification: a step's time, predicted and measured with its spread. Schedules with several splits are lines (predicted) with
 * marks (measured) against the recomputed tokens; those with one stand beside them.
 */
export function validationCurvesSpec({ title, subtitle, points }: Validation): PictureSpec {
  const longest = Math.max(...points.flatMap((point) => [point.predictedSeconds, point.measuredSeconds.median]));
  const widest = Math.max(...points.map((point) => point.measuredSeconds.p95));
  const isCut = widest > MOST_SPREAD * longest;
  const unit = timeUnit(longest);
  const rows = points.map(
    ({ schedule, recomputedTokens, predictedSeconds, measuredSeconds, chosen }): Row => ({
      schedule,
      tokens: recomputedTokens,
      predicted: predictedSeconds * unit.perSecond,
      measured: measuredSeconds.median * unit.perSecond,
      low: measuredSeconds.p05 * unit.perSecond,
      high: measuredSeconds.p95 * unit.perSecond,
      chosen,
    }),
  );
  const top = Math.min(Math.max(longest, widest), MOST_SPREAD * longest) * unit.perSecond;
  const bottom = Math.min(...rows.flatMap(({ predicted, low }) => [predicted, low]));
  // Where all steps take about as long, how they differ is what there is to see.
  const domain: [number, number] = [bottom > top / 2 ? 0.95 * bottom : 0, 1.05 * top];
  const isCurve = (row: Row) => rows.some(({ schedule, tokens }) => schedule === row.schedule && tokens !== row.tokens);
  const curves = rows.filter(isCurve);
  const single = rows.filter((row) => !isCurve(row));
  const frame = { title: `Time of a step (${unit.name})`, unit: unit.name, domain };
  const panels = [
    ...(curves.length > 0 ? [curvesPanel(curves, frame)] : []),
    ...(single.length > 0 ? [singlePanel(single, { ...frame, ...(curves.length > 0 && { title: null }) })] : []),
  ];
  const schedules = new Set(single.map(({ schedule }) => schedule)).size;
  const width = (curves.length > 0 ? WIDTH : 0) + SCHEDULE_WIDTH * schedules;
  return {
    $schema: SCHEMA,
    config: THEME,
    title: pictureTitle(title, isCut ? `${subtitle}; longer spread is cut` : subtitle, Math.max(width, WIDTH)),
    hconcat: panels,
    spacing: 24,
    resolve: { legend: { color: 'independent', shape: 'independent' } },
  };
}

interface Frame {
  title: string | null;
  unit: string;
  domain: [number, number];
}

function curvesPanel(values: Row[], frame: Frame): ColumnSpec {
  const schedules = [...new Set(values.map(({ schedule }) => schedule))];
  const legend = { title: null, orient: 'top' as const, symbolStrokeWidth: 0 };
  const nominal = (range: string[]) => ({
    field: 'schedule',
    type: 'nominal' as const,
    scale: { domain: schedules, range: range.slice(0, schedules.length) },
    legend,
  });
  const color = nominal(COLOURS);
  const x = {
    field: 'tokens',
    type: 'quantitative' as const,
    scale: { padding: 14, nice: false, zero: false },
    axis: { grid: false },
    title: 'Recomputed tokens of the context',
  };
  return {
    width: WIDTH,
    height: HEIGHT,
    data: { values },
    layer: [
      { mark: { type: 'line', strokeWidth: 2 }, encoding: { x, y: yOf('predicted', frame), color } },
      spread(x, frame, color),
      {
        mark: { type: 'point', filled: true, size: 75, opacity: 1, stroke: '#ffffff', strokeWidth: 1 },
        encoding: { x, y: yOf('measured', frame), color, shape: nominal(SHAPES), tooltip: tooltipOf(frame) },
      },
      chosenMark(x, frame),
    ],
  };
}

function singlePanel(values: Row[], frame: Frame): ColumnSpec {
  const schedules = [...new Set(values.map(({ schedule }) => schedule))];
  const x = {
    field: 'schedule',
    type: 'nominal' as const,
    sort: schedules,
    axis: { labelAngle: -40, grid: false },
    title: null,
  };
  const ink = { value: INK };
  return {
    width: { step: SCHEDULE_WIDTH },
    height: HEIGHT,
    data: { values },
    layer: [
      {
        mark: { type: 'tick', thickness: 2, size: 30, orient: 'horizontal', opacity: 1 },
        encoding: { x, y: yOf('predicted', frame), color: ink },
      },
      spread(x, frame, ink),
      {
        mark: { type: 'point', filled: true, size: 75, opacity: 1, stroke: '#ffffff', strokeWidth: 1 },
        encoding: { x, y: yOf('measured', frame), color: ink, tooltip: tooltipOf(frame) },
      },
      chosenMark(x, frame),
    ],
  };
}

function yOf(field: keyof Row, { title, domain }: Frame) {
  return {
    field,
    type: 'quantitative' as const,
    title,
    scale: { domain, nice: false },
    axis: { tickCount: 6, ...(title === null && { labels: false, ticks: false, domain: false }) },
  };
}

function spread<X extends object, C extends object>(x: X, frame: Frame, color: C) {
  return {
    mark: { type: 'rule' as const, strokeWidth: 2, clip: true },
    encoding: { x, y: yOf('low', frame), y2: { field: 'high' as const }, color },
  };
}

/** A ring around the chosen configuration; its label stands below, where other configurations, which take longer, are not. */
function chosenMark<X extends object>(x: X, frame: Frame) {
  const [bottom, top] = frame.domain;
  const dy = { expr: `datum.measured - ${bottom} > ${0.12 * (top - bottom)} ? 24 : -24` };
  const text = { type: 'text' as const, dy, fontWeight: 700 as const, tooltip: false as const };
  const label = { value: 'chosen' };
  return {
    transform: [{ filter: 'datum.chosen' }],
    layer: [
      { mark: { type: 'point' as const, size: 260, strokeWidth: 2, color: INK, filled: false, opacity: 1 } },
      { mark: { ...text, stroke: '#ffffff', strokeWidth: 5 }, encoding: { text: label } },
      { mark: { ...text, color: INK }, encoding: { text: label } },
    ],
    encoding: { x, y: yOf('measured', frame) },
  };
}

function tooltipOf({ unit }: Frame) {
  const time = (field: keyof Row, title: string) => ({
    field,
    type: 'quantitative' as const,
    title: `${title} (${unit})`,
    format: ',.4~r',
  });
  return [
    { field: 'schedule', type: 'nominal' as const },
    { field: 'tokens', type: 'quantitative' as const, title: 'recomputed tokens' },
    time('predicted', 'predicted'),
    time('measured', 'measured'),
    time('low', 'measured p05'),
    time('high', 'measured p95'),
  ];
}

const ERROR_WIDTH = 640;
/** Of the schedules' names beside it. */
const LABEL_WIDTH = 100;
/** Bars on each side of zero, and bars from tick to tick. */
const BARS = 20;
const BARS_PER_TICK = 5;
/** Widths of bars, percent, that read well; later ones are tens, hundreds, … of them. */
const BAR_WIDTHS = [1, 2, 5];

/** Vega-Lite specification: how far the predictions of a step are off, a mark for each configuration, by schedule. */
export function errorDistributionSpec({ title, subtitle, points }: Validation): PictureSpec {
  const values = points.map(({ schedule, recomputedTokens, predictedSeconds, measuredSeconds }) => ({
    schedule,
    tokens: recomputedTokens,
    percent: 100 * (predictedSeconds / measuredSeconds.median - 1),
  }));
  const bar = barWidth(Math.max(...values.map(({ percent }) => Math.abs(percent))));
  const domain: [number, number] = [-BARS * bar, BARS * bar];
  const ticks = Array.from({ length: (2 * BARS) / BARS_PER_TICK + 1 }, (_, i) => domain[0] + i * BARS_PER_TICK * bar);
  const axis = { values: ticks, format: '+.4~r', labelExpr: "datum.value === 0 ? '0' : datum.label", grid: true };
  const x = { field: 'percent', type: 'quantitative' as const, scale: { domain, nice: false } };
  const schedules = [...new Set(values.map(({ schedule }) => schedule))];
  return {
    $schema: SCHEMA,
    config: THEME,
    title: pictureTitle(title, subtitle, ERROR_WIDTH + LABEL_WIDTH),
    data: { values },
    vconcat: [
      {
        width: ERROR_WIDTH,
        height: 120,
        mark: { type: 'bar', color: MUTED },
        encoding: {
          x: { ...x, bin: { step: bar, extent: domain }, title: null, axis: { ...axis, labels: false } },
          y: {
            aggregate: 'count',
            type: 'quantitative',
            title: 'Configurations',
            axis: { tickMinStep: 1, tickCount: 5 },
          },
        },
      },
      {
        width: ERROR_WIDTH,
        height: Math.max(80, 34 * schedules.length),
        layer: [
          {
            mark: { type: 'rule', color: INK },
            encoding: { x: { datum: 0, type: 'quantitative', scale: { domain } } },
          },
          {
            mark: { type: 'point', filled: true, size: 60, opacity: 0.6, color: '#0d3f75' },
            encoding: {
              x: { ...x, axis, title: 'Predicted over measured step, % (left of 0: predicted too short)' },
              y: { field: 'schedule', type: 'nominal', title: null, sort: schedules },
              tooltip: [
                { field: 'schedule', type: 'nominal' },
                { field: 'tokens', type: 'quantitative', title: 'recomputed tokens' },
                { field: 'percent', type: 'quantitative', title: 'error (%)', format: '+.2f' },
              ],
            },
          },
        ],
      },
    ],
  };
}

/** The narrowest bars with which errors up to so many percent find room. */
function barWidth(most: number): number {
  for (let size = 0.1; ; size *= 10) {
    const width = BAR_WIDTHS.find((each) => each * size * BARS >= most);
    if (width !== undefined) return width * size;
  }
}
