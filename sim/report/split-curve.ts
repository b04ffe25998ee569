import { readable, timeUnit } from './quantities.ts';
import { INK, type PictureSpec, pictureTitle, SCHEMA, THEME } from './theme.ts';

/** One split of a schedule. A time that a line does not have there is null. */
interface SplitPoint {
  recomputedTokens: number;
  simulatedSeconds: number | null;
  closedFormSeconds: number | null;
  boundSeconds: number | null;
}

interface ChosenSplit {
  recomputedTokens: number;
  /** Time of the step. */
  seconds: number;
}

export interface SplitCurve {
  /** The finding that the picture shows. */
  title: string;
  subtitle?: string;
  points: readonly SplitPoint[];
  chosen: ChosenSplit;
  /** What the paper's closed form would choose. */
  closedFormChosen?: ChosenSplit;
}

const WIDTH = 720;
const HEIGHT = 340;
/** Room for the lines' labels beside the plot, and for a line of text. */
const LABEL_WIDTH = 130;
const LINE_HEIGHT = 17;

/** Lines by what they tell; they differ in dash and in lightness. */
const LINES = [
  { field: 'simulatedSeconds', words: 'simulation', colour: '#0d3f75', ink: '#0d3f75', dash: [1, 0], width: 3 },
  {
    field: 'closedFormSeconds',
    words: "paper's closed form",
    colour: '#e2953f',
    ink: '#a35c0e',
    dash: [9, 5],
    width: 3,
  },
  { field: 'boundSeconds', words: 'bound', colour: '#6b737c', ink: '#5c6670', dash: [2, 3], width: 2 },
] as const;

/** Vega-Lite specification of a step's time against the tokens that it recomputes, with the chosen split marked. */
export function splitCurveSpec(curve: SplitCurve): PictureSpec {
  const lines = LINES.map((line) => ({ ...line, points: pointsOf(curve.points, line.field) })).filter(
    (line) => line.points.length > 0,
  );
  const choices = [
    { ...curve.chosen, words: 'chosen', colour: LINES[0].colour },
    ...(curve.closedFormChosen
      ? [{ ...curve.closedFormChosen, words: "paper's choice", colour: LINES[1].colour }]
      : []),
  ];
  const seconds = [...lines.flatMap((line) => line.points), ...choices].map((point) => point.seconds);
  const unit = timeUnit(Math.max(...seconds));
  const [low, high] = timeDomain(seconds.map((value) => value * unit.perSecond));
  const lastTokens = Math.max(1, ...lines.flatMap((line) => line.points.map((point) => point.recomputedTokens)));
  const timePerPixel = (high - low) / HEIGHT;

  const lineScale = <T>(range: T[]) => ({
    field: 'line' as const,
    type: 'nominal' as const,
    scale: { domain: lines.map((line) => line.words), range },
    legend: null,
  });
  const x = { field: 'tokens', type: 'quantitative' } as const;
  const y = { field: 'time', type: 'quantitative' } as const;
  const ends = lines.map((line) => line.points[line.points.length - 1].seconds * unit.perSecond);
  // Labels stand on one side of their marks, the farthest lowest, so that no mark crosses another's label.
  const toTheRight =
    choices.reduce((sum, choice) => sum + choice.recomputedTokens, 0) <= (lastTokens * choices.length) / 2;
  const outwards = toTheRight ? 1 : -1;
  const marked = choices
    .sort((a, b) => outwards * (a.recomputedTokens - b.recomputedTokens))
    .map(({ words, colour, recomputedTokens, seconds }, i) => ({
      tokens: recomputedTokens,
      time: seconds * unit.perSecond,
      top: high - (i + 0.7) * LINE_HEIGHT * timePerPixel,
      colour,
      label: `${words}: ${readable(recomputedTokens)} tokens, ${readable(seconds * unit.perSecond)} ${unit.name}`,
    }));
  const label = { type: 'text', fontSize: 12.5, fontWeight: 700, baseline: 'middle', tooltip: false } as const;
  return {
    $schema: SCHEMA,
    config: THEME,
    title: pictureTitle(curve.title, curve.subtitle ?? '', WIDTH + LABEL_WIDTH),
    width: WIDTH,
    height: HEIGHT,
    layer: [
      {
        data: {
          values: lines.flatMap((line) =>
            line.points.map((point) => ({
              line: line.words,
              tokens: point.recomputedTokens,
              time: point.seconds * unit.perSecond,
            })),
          ),
        },
        mark: { type: 'line' },
        encoding: {
          x: {
            ...x,
            title: 'Recomputed tokens of the context',
            scale: { domain: [0, lastTokens], nice: false },
            axis: { grid: false, tickCount: 10 },
          },
          y: {
            ...y,
            title: `Time of a step (${unit.name})`,
            scale: { domain: [low, high], nice: false, zero: false },
            axis: { domain: false, ticks: false, tickCount: 6, offset: 8 },
          },
          color: lineScale(lines.map((line) => line.colour)),
          strokeDash: lineScale(lines.map((line) => [...line.dash])),
          strokeWidth: { ...lineScale(lines.map((line) => line.width)), type: 'ordinal' },
          tooltip: [
            { field: 'line', type: 'nominal', title: 'line' },
            { ...x, title: 'recomputed tokens' },
            { ...y, title: `time (${unit.name})`, format: ',.4~r' },
          ],
        },
      },
      {
        data: {
          values: spread(ends, LINE_HEIGHT * timePerPixel).map((time, i) => ({
            line: lines[i].words,
            ink: lines[i].ink,
            time,
          })),
        },
        mark: { ...label, align: 'left' },
        encoding: {
          x: { value: WIDTH + 8 },
          y,
          text: { field: 'line' },
          color: { field: 'ink', type: 'nominal', scale: null },
        },
      },
      {
        data: { values: marked },
        encoding: { x },
        layer: [
          {
            mark: { type: 'rule', strokeWidth: 1, tooltip: false },
            encoding: {
              y: { field: 'top', type: 'quantitative' },
              y2: { datum: low },
              color: { field: 'colour', type: 'nominal', scale: null },
            },
          },
          {
            mark: { type: 'point', filled: true, size: 110, opacity: 1, stroke: '#ffffff', strokeWidth: 1.5 },
            encoding: {
              y,
              fill: { field: 'colour', type: 'nominal', scale: null },
              tooltip: { field: 'label', type: 'nominal' },
            },
          },
          {
            mark: { ...label, color: INK, align: toTheRight ? 'left' : 'right', dx: 6 * outwards },
            encoding: { y: { field: 'top', type: 'quantitative' }, text: { field: 'label' } },
          },
        ],
      },
    ],
  };
}

/** The points that have the time asked for, by tokens. */
function pointsOf(points: readonly SplitPoint[], field: (typeof LINES)[number]['field']): ChosenSplit[] {
  return points
    .flatMap((point) => {
      const seconds = point[field];
      return seconds !== null && Number.isFinite(seconds)
        ? [{ recomputedTokens: point.recomputedTokens, seconds }]
        : [];
    })
    .sort((a, b) => a.recomputedTokens - b.recomputedTokens);
}

/** From zero unless all the values lie far above it, with room for two lines of labels above the highest. */
function timeDomain(values: number[]): [number, number] {
  const least = Math.min(...values);
  const most = Math.max(...values);
  const margin = 0.08 * (most - least || most || 1);
  const low = least - margin < 0.4 * most ? 0 : least - margin;
  return [low, most + (most - low || 1) * ((3 * LINE_HEIGHT) / HEIGHT)];
}

/** Values moved as little as need be, in their order, so that neighbours are at least `distance` apart. */
function spread(values: number[], distance: number): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b] || b - a);
  const moved = [...values];
  for (let i = 1; i < order.length; i++) {
    moved[order[i]] = Math.max(moved[order[i]], moved[order[i - 1]] + distance);
  }
  return moved;
}
