import type { Candidate, PlanResult, SplitTokens } from '../sim/planner/result.ts';
import { formatSeconds } from '../sim/units/format.ts';
import { bold, dim, print } from './output.ts';
import { type Column, tableLines } from './table.ts';

const GIB = 2 ** 30;

const COLUMNS: Column<Candidate>[] = [
  { title: 'schedule', value: ({ schedule }) => schedule },
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
export function printPlan(result: PlanResult): void {
  const { scenario, model, machine, workload, bound, candidates, recommendation } = result;
  const { batch, promptTokens, generatedTokens, microBatches } = workload;
  const batches = microBatches > 1 ? `${batch} × ${microBatches} micro-batches` : `${batch}`;
  const subject = `${model.name} on ${machine.name}`;
  const work = `batch ${batches}, prompt ${promptTokens}, ${generatedTokens} generated`;
  print(bold(scenario));
  print(dim(scenario === subject ? work : `${subject}; ${work}`));
  print('');
  const feasible = candidates.filter((candidate) => candidate.feasible);
  if (feasible.length > 0) {
    for (const line of tableLines(COLUMNS, feasible)) print(line);
    const boundText = formatSeconds(bound.decodeSeconds / generatedTokens);
    print(dim(`bound: ${boundText} a step, the least with any schedule and split, keeping in GPU memory what fits`));
    print('');
  }
  for (const { schedule, infeasibleBecause } of candidates.filter((candidate) => !candidate.feasible)) {
    print(`${schedule} does not fit: ${infeasibleBecause}`);
  }
  if (feasible.length < candidates.length) print('');
  if (recommendation) {
    print(bold(`${recommendation.verdict}: ${recommendation.schedule}, ${splitText(recommendation.split)}`));
    print(recommendation.because);
  } else {
    print(bold('No schedule fits this machine.'));
  }
}

/** `380 recomputed, 132 transferred`: the ways that serve any tokens. */
function splitText(split: SplitTokens): string {
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
