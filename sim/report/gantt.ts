import type { Timeline } from '../engine/timeline.ts';
import { GROUPS, Group, type GroupName, type Plan, STREAMS, Stream } from '../plan/plan.ts';
import { percent, readable, timeUnit } from './quantities.ts';
import { GROUP_STYLE, MUTED, type PictureSpec, pictureTitle, SCHEMA, THEME } from './theme.ts';

export interface GanttOptions {
  /** The finding that the picture shows. */
  title: string;
  /** First step shown, 0 unless given. */
  stepFrom?: number;
  /** Steps shown, 1 unless given; more than one shows all their layers. */
  steps?: number;
  /** Layers shown from the first on; as many as read well unless given. */
  layers?: number;
  /** The picture ends where it would hold more bars, 10,000 unless given. */
  maxBars?: number;
}

const WIDTH = 960;
const ROW_HEIGHT = 46;
const READABLE_LAYERS = 5;

const ROWS: Record<(typeof STREAMS)[number], string> = {
  h2d: 'Host to device copies',
  d2h: 'Device to host copies',
  compute: 'GPU compute',
  host: 'Host attention',
};

/** Neighbouring operations of one stream that do the same for one layer. */
interface Bar {
  stream: number;
  group: number;
  layer: number;
  step: number;
  microBatch: number;
  startSeconds: number;
  endSeconds: number;
  operations: number;
  /** Sum of the operations' durations: the bar without the gaps that cannot be seen. */
  busySeconds: number;
}

interface Window {
  startSeconds: number;
  endSeconds: number;
}

/**
 * Vega-Lite specification of decode steps as a Gantt chart: a row per stream, a bar for what a stream does for one layer. The window is
 * a stretch of time and everything that runs in it is shown, so that a gap in a row is a stream that waits.
 * Throws a RangeError where the plan has no such step or the timeline belongs to another plan.
 */
export function ganttSpec(plan: Plan, timeline: Timeline, options: GanttOptions): PictureSpec {
  const { stepFrom = 0, steps = 1, maxBars = 10_000 } = options;
  if (timeline.startSeconds.length < plan.count || timeline.endSeconds.length < plan.count) {
    throw new RangeError(`a timeline of ${timeline.startSeconds.length} operations for a plan of ${plan.count}`);
  }
  if (!(stepFrom >= 0 && steps >= 1 && stepFrom + steps <= plan.steps)) {
    throw new RangeError(`steps ${stepFrom} to ${stepFrom + steps - 1} of a plan of ${plan.steps} steps`);
  }
  const layers = steps > 1 ? plan.layers : Math.min(plan.layers, options.layers ?? readableLayers(plan));
  const whole = stepWindow(plan, timeline, stepFrom, stepFrom + steps - 1);
  let window = layers < plan.layers ? upToLayer(plan, timeline, whole, stepFrom, layers - 1) : whole;
  let bars = barsWithin(plan, timeline, window);
  const cut = bars.length > maxBars;
  if (cut) {
    window = { startSeconds: window.startSeconds, endSeconds: bars[maxBars].startSeconds };
    bars = bars.slice(0, maxBars);
  }
  return spec(bars, window, {
    title: options.title,
    subtitle: `${[
      steps > 1 ? `Steps ${stepFrom} to ${stepFrom + steps - 1}` : `Step ${stepFrom}`,
      layerWords(layers, plan.layers),
      ...(plan.microBatches > 1 ? [`${plan.microBatches} micro-batches`] : []),
      ...(cut ? [`cut after ${readable(maxBars)} bars`] : []),
    ].join(
      ', ',
    )}. Numbers in bars are ${plan.microBatches > 1 ? 'layer/micro-batch' : 'layers'}; white in a row is waiting.`,
    timeAxis: `Time from the start of step ${stepFrom}`,
    label: (bar) => (plan.microBatches > 1 ? `${bar.layer}/${bar.microBatch}` : `${bar.layer}`),
  });
}

function layerWords(shown: number, layers: number): string {
  if (shown === layers) return `all ${layers} layers`;
  return `${shown === 1 ? 'layer 0' : `layers 0 to ${shown - 1}`} of ${layers}`;
}

function readableLayers(plan: Plan): number {
  const layers = Math.max(2, Math.floor(READABLE_LAYERS / plan.microBatches));
  return plan.layers <= layers + 1 ? plan.layers : layers;
}

/** From the end of the step before `first` (or the plan's start) to the end of step `last`. */
function stepWindow(plan: Plan, timeline: Timeline, first: number, last: number): Window {
  const window = { startSeconds: 0, endSeconds: 0 };
  for (let i = 0; i < plan.count; i++) {
    if (plan.stream[i] !== Stream.compute) continue;
    const end = timeline.endSeconds[i];
    if (plan.step[i] < first) window.startSeconds = Math.max(window.startSeconds, end);
    if (plan.step[i] <= last) window.endSeconds = Math.max(window.endSeconds, end);
  }
  return window;
}

/** The part of a step's window that ends when the GPU is done with `layer`. */
function upToLayer(plan: Plan, timeline: Timeline, window: Window, step: number, layer: number): Window {
  let endSeconds = window.startSeconds;
  for (let i = 0; i < plan.count; i++) {
    if (plan.step[i] !== step || plan.group[i] !== Group.block || plan.layer[i] > layer) continue;
    endSeconds = Math.max(endSeconds, timeline.endSeconds[i]);
  }
  return endSeconds > window.startSeconds ? { startSeconds: window.startSeconds, endSeconds } : window;
}

/** Bars that take time inside the window, clipped to it, by start. */
function barsWithin(plan: Plan, timeline: Timeline, window: Window): Bar[] {
  // Gaps that are narrower than a pixel cannot be seen: the bar goes on.
  const unseen = (window.endSeconds - window.startSeconds) / WIDTH;
  const bars: Bar[] = [];
  const last: (Bar | undefined)[] = STREAMS.map(() => undefined);
  for (let i = 0; i < plan.count; i++) {
    const startSeconds = Math.max(timeline.startSeconds[i], window.startSeconds);
    const endSeconds = Math.min(timeline.endSeconds[i], window.endSeconds);
    if (!(endSeconds > startSeconds)) continue;
    const stream = plan.stream[i];
    const bar = last[stream];
    if (
      bar !== undefined &&
      bar.group === plan.group[i] &&
      bar.layer === plan.layer[i] &&
      bar.step === plan.step[i] &&
      bar.microBatch === plan.microBatch[i] &&
      startSeconds - bar.endSeconds < unseen
    ) {
      bar.endSeconds = Math.max(bar.endSeconds, endSeconds);
      bar.operations++;
      bar.busySeconds += endSeconds - startSeconds;
      continue;
    }
    last[stream] = {
      stream,
      group: plan.group[i],
      layer: plan.layer[i],
      step: plan.step[i],
      microBatch: plan.microBatch[i],
      startSeconds,
      endSeconds,
      operations: 1,
      busySeconds: endSeconds - startSeconds,
    };
    bars.push(last[stream]);
  }
  return bars.sort((a, b) => a.startSeconds - b.startSeconds || a.stream - b.stream);
}

interface Words {
  title: string;
  subtitle: string;
  timeAxis: string;
  /** Which layer a bar is of. */
  label: (bar: Bar) => string;
}

function spec(bars: Bar[], window: Window, words: Words): PictureSpec {
  const spanSeconds = window.endSeconds - window.startSeconds || 1e-6;
  const unit = timeUnit(spanSeconds);
  const streams = STREAMS.map((_, stream) => stream).filter((stream) => bars.some((bar) => bar.stream === stream));
  const rows = streams.map((stream) => ROWS[STREAMS[stream]]);
  const groups = GROUPS.filter((_, group) => bars.some((bar) => bar.group === group));
  // A pixel at least, so that short work is still seen, unless bars are so many that they would fill the gaps.
  const least = bars.length < WIDTH ? spanSeconds / WIDTH : 0;
  const values = bars.map((bar) => {
    const seconds = bar.endSeconds - bar.startSeconds;
    const style = GROUP_STYLE[GROUPS[bar.group]];
    const pixels = (seconds / spanSeconds) * WIDTH;
    return {
      row: ROWS[STREAMS[bar.stream]],
      work: style.words,
      layer: bar.layer,
      step: bar.step,
      microBatch: bar.microBatch,
      operations: bar.operations,
      start: (bar.startSeconds - window.startSeconds) * unit.perSecond,
      end: (Math.max(bar.endSeconds, bar.startSeconds + least) - window.startSeconds) * unit.perSecond,
      duration: `${readable(seconds * unit.perSecond)} ${unit.name}`,
      label: barLabel(GROUPS[bar.group], words.label(bar), pixels),
      labelColour: style.text,
      outline: pixels > 4 ? 1 : 0,
    };
  });
  const busy = streams.map((stream) => {
    const seconds = bars.reduce((sum, bar) => (bar.stream === stream ? sum + bar.busySeconds : sum), 0);
    return { row: ROWS[STREAMS[stream]], busy: `${percent(seconds / spanSeconds)} busy` };
  });
  const y = { field: 'row', type: 'nominal', sort: rows, title: null, scale: { domain: rows } } as const;
  return {
    $schema: SCHEMA,
    config: THEME,
    title: pictureTitle(words.title, words.subtitle, WIDTH),
    width: WIDTH,
    height: { step: ROW_HEIGHT },
    data: { values },
    layer: [
      {
        params: [{ name: 'zoom', select: { type: 'interval', encodings: ['x'] }, bind: 'scales' }],
        mark: { type: 'bar', height: { band: 0.72 }, stroke: '#ffffff', clip: true },
        encoding: {
          y: { ...y, axis: { domain: false, ticks: false, labelFontSize: 13, labelPadding: 10 } },
          x: {
            field: 'start',
            type: 'quantitative',
            title: `${words.timeAxis} (${unit.name})`,
            scale: { domain: [0, spanSeconds * unit.perSecond], nice: false, zero: false },
            axis: { tickCount: 12 },
          },
          x2: { field: 'end' },
          color: {
            field: 'work',
            type: 'nominal',
            scale: {
              domain: groups.map((group) => GROUP_STYLE[group].words),
              range: groups.map((group) => GROUP_STYLE[group].fill),
            },
            legend: { title: null, orient: 'top', direction: 'horizontal', symbolType: 'square', offset: 10 },
          },
          strokeWidth: { field: 'outline', type: 'quantitative', scale: null },
          tooltip: [
            { field: 'work', title: 'work' },
            { field: 'layer', title: 'layer' },
            { field: 'step', title: 'step' },
            { field: 'microBatch', title: 'micro-batch' },
            { field: 'duration', title: 'duration' },
            { field: 'operations', title: 'operations' },
          ],
        },
      },
      {
        transform: [{ filter: "datum.label !== ''" }, { calculate: '(datum.start + datum.end) / 2', as: 'middle' }],
        mark: { type: 'text', fontSize: 11, clip: true, tooltip: false },
        encoding: {
          y,
          x: { field: 'middle', type: 'quantitative' },
          text: { field: 'label' },
          color: { field: 'labelColour', type: 'nominal', scale: null },
        },
      },
      {
        data: { values: busy },
        mark: { type: 'text', align: 'left', clip: false, tooltip: false, color: MUTED },
        encoding: { y, x: { value: WIDTH + 10 }, text: { field: 'busy' } },
      },
    ],
  };
}

/** What fits into a bar: the group's words and its layer, the layer, or nothing. */
function barLabel(group: GroupName, layer: string, pixels: number): string {
  const words = GROUP_STYLE[group].words;
  const labels = group === 'head' || group === 'embed' ? [words] : [`${words} ${layer}`, layer];
  return labels.find((label) => pixels >= 6.2 * label.length + 8) ?? '';
}
