import type { Candidate, PlanResult } from '../planner/result.ts';
import { readable, timeUnit } from './quantities.ts';
import { type ColumnSpec, cutText, FAINT, INK, MUTED, type PictureSpec, pictureTitle, SCHEMA, THEME } from './theme.ts';

export interface SchedulesOptions {
  /** The finding that the picture shows; told from the recommendation unless given. */
  title?: string;
}

const TIME_WIDTH = 420;
const SHARE_WIDTH = 96;
/** Between columns, with the figures at the ends of their bars. */
const GAP = 44;
const ROW_HEIGHT = 34;
const RECOMMENDED = '#174e86';
const OTHER = '#9db7d3';

/** What a schedule keeps busy, each as a share of the decode's time. */
const SHARES: { words: string; colour: string; share: (candidate: Candidate) => number }[] = [
  { words: 'Link to GPU busy', colour: '#3d7fc4', share: (candidate) => candidate.utilisation.h2d },
  { words: 'GPU busy', colour: '#17694a', share: (candidate) => candidate.utilisation.gpu },
  { words: 'GPU idle', colour: '#b9c0c7', share: (candidate) => 1 - candidate.utilisation.gpu },
  { words: 'Host DRAM busy', colour: '#b565a0', share: (candidate) => candidate.utilisation.hostDram },
];

const WIDTH = TIME_WIDTH + SHARES.length * (GAP + SHARE_WIDTH);

/**
 * Vega-Lite specification of all schedules side by side: the mean step's time with its bound, best first, and what each keeps busy.
 * A schedule that does not fit has no bar but says what it lacks.
 */
export function schedulesSpec(result: PlanResult, options: SchedulesOptions = {}): PictureSpec {
  const { candidates } = result;
  const feasible = candidates.filter((candidate) => candidate.feasible);
  const longest = Math.max(...feasible.map((candidate) => candidate.stepSeconds), 0);
  const unit = timeUnit(longest);
  const time = (seconds: number) => `${readable(seconds * unit.perSecond)} ${unit.name}`;
  const order = candidates.map((candidate) => candidate.schedule);
  const y = { field: 'schedule', type: 'nominal', title: null, sort: order, scale: { domain: order } } as const;
  const hidden = { ...y, axis: null } as const;
  const height = { step: ROW_HEIGHT };
  const text = { type: 'text', align: 'left', dx: 6, tooltip: false } as const;
  const x = { field: 'time', type: 'quantitative' } as const;
  return {
    $schema: SCHEMA,
    config: THEME,
    title: pictureTitle(options.title ?? finding(result), workloadWords(result), WIDTH),
    spacing: GAP,
    bounds: 'flush',
    hconcat: [
      {
        width: TIME_WIDTH,
        height,
        data: {
          values: candidates.map((candidate) => ({
            schedule: candidate.schedule,
            feasible: candidate.feasible,
            time: candidate.feasible ? candidate.stepSeconds * unit.perSecond : 0,
            bound: candidate.boundSeconds * unit.perSecond,
            label: candidate.feasible
              ? time(candidate.stepSeconds)
              : cutText(`does not fit: ${candidate.infeasibleBecause ?? ''}`, WIDTH / 6.5),
            because: candidate.infeasibleBecause ?? '',
            colour: candidate.schedule === result.recommendation?.schedule ? RECOMMENDED : OTHER,
          })),
        },
        layer: [
          {
            transform: [{ filter: 'datum.feasible' }],
            mark: { type: 'bar', height: { band: 0.62 } },
            encoding: {
              y: { ...y, axis: { domain: false, ticks: false, labelFontSize: 13, labelPadding: 8 } },
              x: {
                ...x,
                title: `Mean time of a step (${unit.name}); black marks: the bound`,
                // Room for the time at the end of the longest bar.
                scale: { domain: [0, longest * unit.perSecond * 1.18 || 1], nice: false },
                axis: { tickCount: 6, grid: false },
              },
              color: { field: 'colour', type: 'nominal', scale: null },
              tooltip: [
                { field: 'schedule', type: 'nominal', title: 'schedule' },
                { field: 'label', type: 'nominal', title: 'mean step' },
                { field: 'bound', type: 'quantitative', title: `bound (${unit.name})`, format: ',.4~r' },
              ],
            },
          },
          {
            transform: [{ filter: 'datum.feasible' }],
            mark: { type: 'tick', orient: 'vertical', thickness: 2.5, size: ROW_HEIGHT * 0.8, color: INK, opacity: 1 },
            encoding: { y, x: { field: 'bound', type: 'quantitative' } },
          },
          {
            transform: [{ filter: 'datum.feasible' }],
            mark: { ...text, fontWeight: 700 },
            encoding: { y, x, text: { field: 'label' } },
          },
          {
            transform: [{ filter: '!datum.feasible' }],
            mark: { ...text, color: MUTED, tooltip: true },
            encoding: { y, x, text: { field: 'label' }, tooltip: { field: 'because', type: 'nominal' } },
          },
        ],
      },
      ...SHARES.map(
        ({ words, colour, share }): ColumnSpec => ({
          width: SHARE_WIDTH,
          height,
          data: {
            values: feasible.map((candidate) => ({
              schedule: candidate.schedule,
              share: Math.min(1, Math.max(0, share(candidate))) * 100,
              whole: 100,
            })),
          },
          layer: [
            {
              mark: { type: 'bar', height: { band: 0.62 }, color: FAINT, tooltip: false },
              encoding: {
                y: hidden,
                x: {
                  field: 'whole',
                  type: 'quantitative',
                  title: `${words} (%)`,
                  scale: { domain: [0, 100] },
                  axis: { values: [0, 50, 100], grid: false },
                },
              },
            },
            {
              mark: { type: 'bar', height: { band: 0.62 }, color: colour },
              encoding: { y: hidden, x: { field: 'share', type: 'quantitative' } },
            },
            {
              mark: { ...text, dx: 3, fontSize: 11 },
              encoding: {
                y: hidden,
                x: { value: SHARE_WIDTH },
                text: { field: 'share', type: 'quantitative', format: '.0f' },
              },
            },
          ],
        }),
      ),
    ],
  };
}

function finding(result: PlanResult): string {
  const recommended = result.candidates.find(({ schedule }) => schedule === result.recommendation?.schedule);
  if (recommended === undefined) return 'No schedule fits this machine';
  const unit = timeUnit(recommended.stepSeconds);
  const step = `${readable(recommended.stepSeconds * unit.perSecond)} ${unit.name} a step`;
  const rank = recommended === result.candidates[0] ? 'is fastest' : 'is recommended';
  const transfer = result.candidates.find(({ schedule, feasible }) => feasible && schedule === 'transfer');
  const times = transfer && transfer !== recommended ? transfer.stepSeconds / recommended.stepSeconds : 1;
  const compared = times >= 1.05 ? `, ${times.toFixed(1)} times as fast as transfer` : '';
  return `${recommended.schedule} ${rank}: ${step}${compared}`;
}

function workloadWords({ scenario, model, machine, workload }: PlanResult): string {
  const words = [
    `${cutText(model.name, 40)} on ${cutText(machine.name, 40)}`,
    `batch ${readable(workload.batch)}`,
    ...(workload.microBatches > 1 ? [`${workload.microBatches} micro-batches`] : []),
    `prompt ${readable(workload.promptTokens)}`,
    `${readable(workload.generatedTokens)} tokens generated`,
  ].join(', ');
  return scenario ? `${cutText(scenario, 60)}: ${words}` : words;
}
