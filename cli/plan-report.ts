import type { Candidate, PlanResult, SplitTokens } from '../sim/planner/result.ts';
import type { Scenario } from '../sim/scenario/scenario.ts';
import { splitTokens } from '../sim/scenario/split.ts';
import { WAYS } from '../sim/schedule/split-tokens.ts';
import { formatSeconds } from '../sim/units/format.ts';
import { bold, dim, print } from './output.ts';
import { type Column, tableLines } from './table.ts';

const GIB = 2 ** 30;

/** A candidate, marked where it does not serve tokens as asked. */
type MarkedCandidate = Candidate & { mark: '' | '*' };

const COLUMNS: Column<MarkedCandidate>[] = [
  { title: 'schedule', value: ({ schedule, mark }) => `${schedule}${mark}` },
  { title: 'split of the first step', unit: 'tokens', value: ({ split }) => splitText(split) },
  { title: 'step', unit: 'ms', value: ({ stepSeconds }) => 1e3 * stepSeconds },
  { title: 'decode', unit: 's', value: ({ decodeSeconds }) => decodeSeconds },
  { title: 'rate', unit: 'tokens/s', value: ({ tokensPerSecond }) => tokensPerSecond },
  { title: 'over bound', unit: '%', decimals: 1, value: ({ gap }) => percent(gap) },
  { title: 'bottleneck', value: ({ bottleneck }) => bottleneck },
  { title: 'link', unit: '% busy', decimals: 1, value: ({ utilisation }) => percent(utilisation.h2d) },
  { title: 'GPU', unit: '% busy', decimals: 1, value: ({ utilisation }) => percent(utilisation.gpu) },
  { title: 'GPU mem', unit: 'GiB', decimals: 2, value: ({ peakBytes }) => peakBytes.gpu / GIB },
  { title: 'host mem', unit: 'GiB', decimals: 2, value: ({ peakBytes }) => peakBytes.host / GIB },
];

/** Prints the answer of `plan` for people: the candidates best first, what does not fit, and what to do. */
export function printPlan(result: PlanResult, asked: Scenario['split']): void {
  const { bound, candidates, recommendation, workload } = result;
  printSubject(result);
  const feasible = candidates.filter((candidate) => candidate.feasible);
  if (feasible.length > 0) {
    const marked = feasible.map((candidate) => ({
      ...candidate,
      mark: markOf(candidate, asked, workload.promptTokens),
    }));
    for (const line of tableLines(COLUMNS, marked)) print(line);
    if (marked.some(({ mark }) => mark)) {
      print('* serves other tokens than asked for: this schedule has no such way');
    }
    const boundText = formatSeconds(bound.decodeSeconds / workload.generatedTokens);
    print(dim(`bound: ${boundText} a step, the least with any schedule and split, keeping in GPU memory what fits`));
    print('');
  }
  printMisfits(candidates);
  if (feasible.length < candidates.length) print('');
  if (recommendation) {
    print(bold(`${recommendation.verdict}: ${recommendation.schedule}, ${splitText(recommendation.split)}`));
    print(recommendation.because);
  } else {
    print(bold('No schedule fits this machine.'));
  }
}

/** Prints one schedule in a line, or what does not fit where none does. */
export function printBest(result: PlanResult): void {
  const [best] = result.candidates;
  printSubject(result);
  if (!best.feasible) {
    printMisfits(result.candidates);
    return;
  }
  const times = `${formatSeconds(best.stepSeconds)} a step, ${formatSeconds(best.decodeSeconds)} in all`;
  print(`${bold(best.schedule)}: ${splitText(best.split)}; ${times}, bound by ${best.bottleneck}`);
}

/** Prints the scenario's name, and what it does on which machine. */
function printSubject({ scenario, model, machine, workload }: PlanResult): void {
  const { batch, promptTokens, generatedTokens, microBatches } = workload;
  const batches = microBatches > 1 ? `${batch} × ${microBatches} micro-batches` : `${batch}`;
  const subject = `${model.name} on ${machine.name}`;
  const work = `batch ${batches}, prompt ${promptTokens}, ${generatedTokens} generated`;
  print(bold(scenario));
  print(dim(scenario === subject ? work : `${subject}; ${work}`));
  print('');
}

/** Prints what each candidate that does not fit is short of. */
function printMisfits(candidates: readonly Candidate[]): void {
  for (const { schedule, infeasibleBecause } of candidates.filter((candidate) => !candidate.feasible)) {
    print(`${schedule} does not fit: ${infeasibleBecause}`);
  }
}

/** A schedule without the asked way takes another: it has tokens where none were asked for, or none where some were. */
function markOf({ split }: Candidate, asked: Scenario['split'], promptTokens: number): '' | '*' {
  if (asked === 'auto') return '';
  const wanted = splitTokens(asked, promptTokens);
  return WAYS.some((way) => wanted[way] > 0 !== split[way] > 0) ? '*' : '';
}

/** `380 recomputed, 132 transferred`: the ways that serve any tokens. */
export function splitText(split: SplitTokens): string {
  const ways = [
    [split.resident, 'resident'],
    [split.recomputed, 'recomputed'],
    [split.transferred, 'transferred'],
    [split.hostAttended, 'host-attended'],
  ] as const;
  const parts = ways.filter(([tokens]) => tokens > 0).map(([tokens, way]) => `${Math.round(tokens)} ${way}`);
  return parts.join(', ') || 'none';
}

const percent = (share: number) => 100 * share;
