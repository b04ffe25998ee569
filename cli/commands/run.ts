import type { CommandModule } from 'yargs';
import { type RunReport, runCandidate } from '../../exec/run.ts';
import { plan } from '../../sim/planner/plan.ts';
import { ganttSpec } from '../../sim/report/gantt.ts';
import { compareTrace } from '../../sim/report/trace.ts';
import { formatSeconds } from '../../sim/units/format.ts';
import { type DeviceArguments, deviceArguments, deviceOptions } from '../device-arguments.ts';
import { executing, refuseUnexecutable } from '../executing.ts';
import { fileOption } from '../file-option.ts';
import { checkOutputs, writeFileAtomically } from '../files.ts';
import { countOption } from '../number-options.ts';
import { bold, dim, note, print, printJson, withProgress } from '../output.ts';
import { pictureDrawer } from '../pictures.ts';
import { splitText } from '../plan-report.ts';
import { loadScenario, type ScenarioArguments, scenarioArguments, withScenario } from '../scenario-arguments.ts';
import { type Column, tableLines } from '../table.ts';

interface RunArguments extends ScenarioArguments, DeviceArguments {
  steps: number;
  repeats: number;
  json: boolean;
  trace?: string[] | undefined;
  plot?: string[] | undefined;
}

export const runCommand: CommandModule<object, RunArguments> = {
  command: 'run [scenario]',
  describe: 'Execute a decode for real: the best schedule, or the one named',
  builder: (yargs) =>
    deviceArguments(scenarioArguments(yargs))
      .option('steps', countOption('--steps', 'Decode steps to execute at most', 8))
      .option('repeats', countOption('--repeats', 'Executions that are measured, after one that warms up', 5))
      .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document' })
      .option('trace', fileOption('Write prediction and measurement side by side, for Perfetto, into this file'))
      .option('plot', fileOption('Draw the measured first step by stream into this file (.svg, .png, .html, .vl.json)'))
      .example('$0 run scenario.yaml --backend cuda', 'on the GPU of this machine')
      .example('$0 run scenario.yaml --backend cpu --link-rate "1 GB/s"', 'on its cores, with a paced link'),
  handler: async (args) => {
    checkOutputs([...(args.plot ?? []), ...(args.trace ?? [])]);
    const draw = await pictureDrawer(args.plot);
    const device = deviceOptions(args);
    const scenario = loadScenario(args);
    refuseUnexecutable(scenario);
    const { candidates } = withProgress('Simulating schedules', (report) =>
      withScenario(args, () => plan(scenario, report)),
    );
    const [best] = candidates;
    if (!best.feasible) note(`${best.schedule} would not fit ${scenario.machine.name}: ${best.infeasibleBecause}.`);
    const { report, predicted, measured, ...run } = await executing((signal, onProgress) =>
      runCandidate(scenario, best, {
        device,
        steps: args.steps,
        warmUp: 1,
        repeats: args.repeats,
        signal,
        onProgress,
      }),
    );
    if (args.json) printJson(report);
    else printRun(report);
    const processes = [
      { name: `predicted: ${scenario.machine.name}`, plan: run.plan, timeline: predicted },
      { name: `measured: ${report.device}`, plan: run.plan, timeline: measured },
    ];
    for (const file of args.trace ?? []) writeFileAtomically(file, compareTrace(processes));
    const title = `${report.schedule}: a step took ${formatSeconds(report.measured.stepSeconds.median)}`;
    await draw(() => ganttSpec(run.plan, measured, { title }));
  },
};

const COLUMNS: Column<[string, number]>[] = [
  { title: 'group', value: ([group]) => group },
  { title: 'time', unit: 'ms', value: ([, seconds]) => 1e3 * seconds },
];

function printRun(report: RunReport): void {
  const { measured, predicted, utilisation } = report;
  const { median, p05, p95, n } = measured.stepSeconds;
  print(bold(report.scenario));
  print(dim(`executed by ${report.backend} on ${report.device}`));
  print('');
  print(`${bold(report.schedule)}: ${splitText(report.split)}; ${report.steps} steps`);
  print(
    `measured  ${formatSeconds(median)} a step (${formatSeconds(p05)} to ${formatSeconds(p95)}, ${n} repeats), ${measured.tokensPerSecond.toPrecision(4)} tokens/s`,
  );
  print(`predicted ${formatSeconds(predicted.stepSeconds)} a step on ${predicted.machine}`);
  const busy = Object.entries(utilisation).map(([stream, share]) => `${stream} ${(100 * share).toFixed(1)} %`);
  print(`busy: ${busy.join(', ')}; enqueueing a step took the host ${formatSeconds(report.enqueueSeconds)}`);
  print('');
  print('Operations of a step, added up (streams overlap):');
  for (const line of tableLines(COLUMNS, Object.entries(report.groupSeconds))) print(line);
}
