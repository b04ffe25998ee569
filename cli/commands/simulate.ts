import type { CommandModule } from 'yargs';
import { plan } from '../../sim/planner/plan.ts';
import type { Candidate } from '../../sim/planner/result.ts';
import { type Simulation, simulateSteps, type Total } from '../../sim/planner/simulate.ts';
import { ganttSpec } from '../../sim/report/gantt.ts';
import { chromeTrace } from '../../sim/report/trace.ts';
import { formatSeconds } from '../../sim/units/format.ts';
import { fileOption } from '../file-option.ts';
import { checkOutputs, writeFileAtomically } from '../files.ts';
import { bold, note, print, printJson, withProgress } from '../output.ts';
import { pictureDrawer } from '../pictures.ts';
import { printBest } from '../plan-report.ts';
import { loadScenario, type ScenarioArguments, scenarioArguments, withScenario } from '../scenario-arguments.ts';
import { type Column, tableLines } from '../table.ts';

interface SimulateArguments extends ScenarioArguments {
  json: boolean;
  plot?: string[] | undefined;
  trace?: string[] | undefined;
}

export const simulateCommand: CommandModule<object, SimulateArguments> = {
  command: 'simulate [scenario]',
  describe: 'Simulate a decode operation by operation: the best schedule, or the one named',
  builder: (yargs) =>
    scenarioArguments(yargs)
      .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document' })
      .option('trace', fileOption('Write a trace for Perfetto into this file'))
      .option('plot', fileOption('Draw the first step by stream into this file (.svg, .png, .html, .vl.json)'))
      .example('$0 simulate scenarios/paper-latency.yaml --schedule kvpr-row', 'where the time of one schedule goes')
      .example('$0 simulate scenario.yaml --trace out/trace.json --plot out/step.svg', 'every operation, to look at')
      .example('$0 simulate scenario.yaml --schedule kvpr-row --set split.recomputed=50%', 'a split of your own'),
  handler: async (args) => {
    checkOutputs([...(args.plot ?? []), ...(args.trace ?? [])]);
    const draw = await pictureDrawer(args.plot);
    const scenario = loadScenario(args);
    const result = withProgress('Simulating schedules', (report) => withScenario(args, () => plan(scenario, report)));
    const [best] = result.candidates;
    const simulation = best.feasible
      ? withProgress('Simulating every operation', () => simulateSteps(scenario, best))
      : null;
    if (args.json) {
      const steps = simulation?.plan.steps ?? 0;
      printJson({ ...result, simulation: { schedule: best.schedule, steps, totals: simulation?.totals ?? null } });
    } else {
      printBest(result);
      if (simulation) printTotals(best, simulation);
    }
    if (simulation) {
      const { plan: operations, timeline } = simulation;
      const name = `${result.scenario}: ${best.schedule}`;
      for (const file of args.trace ?? []) writeFileAtomically(file, chromeTrace(operations, timeline, { name }));
      await draw(() => ganttSpec(operations, timeline, { title: finding(best) }));
    } else if (args.trace || args.plot) {
      note('Nothing fits, so there is no trace and no picture.');
    }
  },
};

/** What the picture of the first step shows, in a line. */
function finding({ schedule, firstStepSeconds }: Candidate): string {
  return `${schedule}: the first step takes ${formatSeconds(firstStepSeconds)}`;
}

type NamedTotal = Total & { name: string; share: number };

const COLUMNS: Column<NamedTotal>[] = [
  { title: 'group', value: ({ name }) => name },
  { title: 'operations', value: ({ operations }) => operations },
  { title: 'time', unit: 'ms', value: ({ seconds }) => 1e3 * seconds, decimals: 2 },
  { title: 'of decode', unit: '%', value: ({ share }) => 100 * share, decimals: 1 },
  { title: 'arithmetic', unit: 'TFLOP', value: ({ flops }) => flops / 1e12, decimals: 2 },
  { title: 'bytes', unit: 'GB', value: ({ bytes }) => bytes / 1e9, decimals: 3 },
];

function printTotals({ schedule }: Candidate, { plan: { steps }, timeline, totals }: Simulation): void {
  const decodeSeconds = timeline.endSeconds.reduce((latest, end) => Math.max(latest, end), 0);
  const rows = Object.entries(totals.group).map(([name, total]) => ({
    name,
    ...total,
    share: total.seconds / decodeSeconds,
  }));
  print('');
  print(
    bold(`${schedule}, ${steps} steps, operation by operation (streams overlap, so shares add up to more than 100 %)`),
  );
  for (const line of tableLines(COLUMNS, rows)) print(line);
}
