import { timeUnit } from './quantities.ts';
import { INK, MUTED, type PictureSpec, pictureTitle, SCHEMA, THEME } from './theme.ts';

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

const WIDTH = 640;
const HEIGHT = 360;

/** Colours that differ in lightness too, and a mark for each: schedules remain apart in greyscale. */
const COLOURS = ['#0d3f75', '#e2953f', '#17694a', '#b565a0', '#6b737c', '#8fd0c4', '#40306e', '#a35c0e'];
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

/** Vega-Lite specification: a step's time against the recomputed tokens, predictions as lines, measurements as marks with their spread. */
export function validationCurvesSpec({ title, subtitle, points }: Validation): PictureSpec {
  const unit = timeUnit(Math.max(...points.map((point) => point.measuredSeconds.p95)));
  const schedules = [...new Set(points.map((point) => point.schedule))];
  const values = points.map(({ schedule, recomputedTokens, predictedSeconds, measuredSeconds, chosen }) => ({
    schedule,
    tokens: recomputedTokens,
    predicted: predictedSeconds * unit.perSecond,
    measured: measuredSeconds.median * unit.perSecond,
    low: measuredSeconds.p05 * unit.perSecond,
    high: measuredSeconds.p95 * unit.perSecond,
    chosen,
  }));
  const color = {
    field: 'schedule',
    type: 'nominal' as const,
    scale: { domain: schedules, range: COLOURS.slice(0, schedules.length) },
    legend: { title: '— predicted, ● measured', orient: 'right' as const },
  };
  const shape = {
    field: 'schedule',
    type: 'nominal' as const,
    scale: { domain: schedules, range: SHAPES.slice(0, schedules.length) },
    legend: { title: '— predicted, ● measured', orient: 'right' as const },
  };
  const x = { field: 'tokens', type: 'quantitative' as const };
  const y = (field: string) => ({ field, type: 'quantitative' as const });
  const tooltip = [
    { field: 'schedule', type: 'nominal' as const },
    { field: 'tokens', type: 'quantitative' as const, title: 'recomputed tokens' },
    ...['predicted', 'measured', 'low', 'high'].map((field) => ({
      field,
      type: 'quantitative' as const,
      title: `${{ low: 'measured p05', high: 'measured p95' }[field] ?? field} (${unit.name})`,
      format: ',.4~r',
    })),
  ];
  return {
    $schema: SCHEMA,
    config: THEME,
    title: pictureTitle(title, subtitle, WIDTH + 160),
    width: WIDTH,
    height: HEIGHT,
    data: { values },
    layer: [
      {
        mark: { type: 'line', strokeWidth: 2 },
        encoding: {
          x: { ...x, title: 'Recomputed tokens of the context', axis: { grid: false } },
          y: {
            ...y('predicted'),
            title: `Time of a step (${unit.name})`,
            scale: { zero: true },
            axis: { tickCount: 6 },
          },
          color,
        },
      },
      { mark: { type: 'rule', strokeWidth: 2 }, encoding: { x, y: y('low'), y2: { field: 'high' }, color } },
      {
        mark: { type: 'point', filled: true, size: 75, opacity: 1, stroke: '#ffffff', strokeWidth: 1 },
        encoding: { x, y: y('measured'), color, shape, tooltip },
      },
      {
        transform: [{ filter: 'datum.chosen' }],
        layer: [
          { mark: { type: 'point', size: 260, strokeWidth: 2, color: INK, filled: false } },
          { mark: { type: 'text', dy: -20, fontWeight: 700, color: INK }, encoding: { text: { value: 'chosen' } } },
        ],
        encoding: { x, y: y('measured') },
      },
    ],
  };
}

/** Vega-Lite specification: how far the predictions of a step are off, a mark for each configuration, by schedule. */
export function errorDistributionSpec({ title, subtitle, points }: Validation): PictureSpec {
  const values = points.map(({ schedule, recomputedTokens, predictedSeconds, measuredSeconds }) => ({
    schedule,
    tokens: recomputedTokens,
    percent: 100 * (predictedSeconds / measuredSeconds.median - 1),
  }));
  const most = Math.max(5, ...values.map(({ percent }) => Math.abs(percent)));
  const end = Math.ceil(1.05 * most);
  const domain: [number, number] = [-end, end];
  const x = {
    field: 'percent',
    type: 'quantitative' as const,
    scale: { domain, nice: false },
    axis: { tickCount: 10 },
    title: 'Predicted over measured step, % (left of 0: predicted too short)',
  };
  const schedules = [...new Set(values.map(({ schedule }) => schedule))];
  return {
    $schema: SCHEMA,
    config: THEME,
    title: pictureTitle(title, subtitle, WIDTH + 160),
    data: { values },
    vconcat: [
      {
        width: WIDTH,
        height: 120,
        mark: { type: 'bar', color: MUTED },
        encoding: {
          x: { ...x, bin: { step: end / 20, extent: domain }, title: null },
          y: { aggregate: 'count', type: 'quantitative', title: 'Configurations', axis: { tickMinStep: 1 } },
        },
      },
      {
        width: WIDTH,
        height: Math.max(80, 34 * schedules.length),
        layer: [
          {
            mark: { type: 'rule', color: INK },
            encoding: { x: { datum: 0, type: 'quantitative', scale: { domain } } },
          },
          {
            mark: { type: 'point', filled: true, size: 60, opacity: 0.75, color: '#0d3f75' },
            encoding: {
              x,
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
