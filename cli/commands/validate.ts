import type { CommandModule } from 'yargs';
import type { ValidatedRun, ValidationReport } from '../../exec/validate/report.ts';
import { validate } from '../../exec/validate/validate.ts';
import { schedulesFor } from '../../sim/planner/plan.ts';
import { compareTrace } from '../../sim/report/trace.ts';
import { errorDistributionSpec, type ValidatedPoint, validationCurvesSpec } from '../../sim/report/validation.ts';
import type { Scenario } from '../../sim/scenario/scenario.ts';
import { formatRate } from '../../sim/units/format.ts';
import { type DeviceArguments, deviceArguments, deviceOptions } from '../device-arguments.ts';
import { executing, refuseUnexecutable } from '../executing.ts';
import { fileOption } from '../file-option.ts';
import { checkOutputs, writeFileAtomically } from '../files.ts';
import { countOption, minutesOption, shareOption } from '../number-options.ts';
import { bold, dim, note, print, printJson } from '../output.ts';
import { pictureDrawer } from '../pictures.ts';
import { loadScenario, type ScenarioArguments, scenarioArguments, withScenario } from '../scenario-arguments.ts';
import { type Column, tableLines } from '../table.ts';

interface ValidateArguments extends ScenarioArguments, DeviceArguments {
  'as-written': boolean;
  splits: number;
  steps: number;
  repeats: number;
  minutes?: number | undefined;
  'max-median-error'?: number | undefined;
  'max-regret'?: number | undefined;
  json: boolean;
  plot?: string[] | undefined;
  'plot-errors'?: string[] | undefined;
  trace?: string[] | undefined;
}

/** Where a prediction was not as good as asked for. */
const FELL_SHORT = 1;
const PROFILE_MINUTES = 1;
const MOST_MINUTES = 60;

export const validateCommand: CommandModule<object, ValidateArguments> = {
  command: 'validate [scenario]',
  describe: 'Execute a grid of schedules and splits, and say how true the predictions are',
  builder: (yargs) =>
    deviceArguments(scenarioArguments(yargs))
      .option('as-written', {
        type: 'boolean',
        default: false,
        describe: 'Predict with the scenario’s machine even where it is not measured (left out: a profile is measured)',
      })
      .option('splits', countOption('--splits', 'Splits of every schedule that leaves them open', 9))
      .option('steps', countOption('--steps', 'Decode steps of each run', 2))
      .option('repeats', countOption('--repeats', 'Measured runs of each configuration, after one that warms up', 7))
      .option(
        'max-median-error',
        shareOption('--max-median-error', 'Exit with 1 where the median error of steps is above this'),
      )
      .option(
        'max-regret',
        shareOption('--max-regret', 'Exit with 1 where the chosen split is slower than the best by more than this'),
      )
      .option(
        'minutes',
        minutesOption(
          `Time to profile where the machine is not measured, half before and half behind the runs (left out: ${PROFILE_MINUTES})`,
          MOST_MINUTES,
        ),
      )
      .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document' })
      .option('plot', fileOption('Draw predicted and measured steps into this file (.svg, .png, .html, .vl.json)'))
      .option('plot-errors', fileOption('Draw how far predictions are off into this file'))
      .option('trace', fileOption('Write the chosen run, predicted and measured, for Perfetto, into this file'))
      .example('$0 validate scenario.yaml --backend cuda --plot out/validation.html', 'on the GPU of this machine')
      .example(
        '$0 validate scenario.yaml --backend cpu --link-rate "500 MB/s" --max-median-error 5%',
        'on its cores, as a check',
      ),
  handler: async (args) => {
    checkOutputs([...(args.plot ?? []), ...(args['plot-errors'] ?? []), ...(args.trace ?? [])]);
    const draw = await pictureDrawer(args.plot);
    const drawErrors = await pictureDrawer(args['plot-errors']);
    const device = deviceOptions(args);
    const scenario = loadScenario(args);
    refuseUnexecutable(scenario);
    withScenario(args, () => schedulesFor(scenario));
    if (args['as-written'] && !scenario.machine.measured) {
      note(`Predictions are for ${scenario.machine.name}, whatever machine executes.`);
    }
    const { report, shown } = await executing((signal, onProgress) =>
      validate(scenario, {
        device,
        asWritten: args['as-written'],
        splits: args.splits,
        steps: args.steps,
        warmUp: 1,
        repeats: args.repeats,
        profileMinutes: args.minutes ?? PROFILE_MINUTES,
        onProgress,
        signal,
      }),
    );
    if (args.json) printJson(report);
    else printValidation(report);
    const points = pictured(report);
    const { n } = report.runs[0].measuredSeconds;
    const drawn = `lines: predicted, marks: measured (median of ${n}, 5th to 95th percentile)`;
    await draw(() =>
      validationCurvesSpec({ title: finding(report), subtitle: `${executedBy(report)}; ${drawn}`, points }),
    );
    await drawErrors(() =>
      errorDistributionSpec({ title: errorFinding(report), subtitle: executedBy(report), points }),
    );
    const { plan, predicted, measured } = shown;
    const name = report.chosen ?? report.bestMeasured;
    const processes = [
      { name: `predicted: ${name}`, plan, timeline: predicted },
      { name: `measured: ${name}`, plan, timeline: measured },
    ];
    for (const file of args.trace ?? []) writeFileAtomically(file, compareTrace(processes));
    for (const shortfall of shortfalls(report, args, scenario)) {
      note(shortfall);
      process.exitCode = FELL_SHORT;
    }
  },
};

/** Logits of configurations may differ by rounding alone. */
const ROUNDING = { fp32: 1e-3, other: 5e-2 };

function shortfalls(
  { stepError, regret, agreement }: ValidationReport,
  { 'max-median-error': maxError, 'max-regret': maxRegret }: ValidateArguments,
  { precision }: Scenario,
): string[] {
  const rounding = precision.activations === 'fp32' ? ROUNDING.fp32 : ROUNDING.other;
  return [
    maxError !== undefined && stepError.median > maxError
      ? `The median error of steps is ${percent(stepError.median)}, expected at most ${percent(maxError)}.`
      : '',
    maxRegret !== undefined && regret === null
      ? 'The planner finds that nothing fits: there is no regret to judge.'
      : '',
    maxRegret !== undefined && regret !== null && regret > maxRegret
      ? `The regret is ${percent(regret)}, expected at most ${percent(maxRegret)}.`
      : '',
    agreement === null ? 'Some of the results are no numbers.' : '',
    agreement !== null && agreement > rounding
      ? `The schedules’ results differ by ${percent(agreement)}: more than rounding explains.`
      : '',
  ].filter((text) => text !== '');
}

const COLUMNS: Column<ValidatedRun>[] = [
  { title: 'run', value: ({ name }) => name },
  { title: 'predicted', unit: 'ms', value: ({ predictedSeconds }) => 1e3 * predictedSeconds },
  { title: 'measured', unit: 'ms', value: ({ measuredSeconds }) => 1e3 * measuredSeconds.median },
  { title: 'p05', unit: 'ms', value: ({ measuredSeconds }) => 1e3 * measuredSeconds.p05 },
  { title: 'p95', unit: 'ms', value: ({ measuredSeconds }) => 1e3 * measuredSeconds.p95 },
  { title: 'error', unit: '%', value: ({ error }) => 100 * error, decimals: 1 },
];

type GroupError = [string, { median: number; p95: number }];

const GROUP_COLUMNS: Column<GroupError>[] = [
  { title: 'operations', value: ([group]) => group },
  { title: 'median error', unit: '%', value: ([, { median }]) => 100 * median, decimals: 1 },
  { title: 'p95', unit: '%', value: ([, { p95 }]) => 100 * p95, decimals: 1 },
];

function printValidation(report: ValidationReport): void {
  const { stepError, regret, chosen, bestMeasured } = report;
  print(bold(report.scenario));
  print(dim(`${report.steps} steps by ${report.backend} on ${report.device}; predicted from ${report.machine}`));
  print('');
  for (const line of tableLines(COLUMNS, report.runs)) print(line);
  print('');
  for (const line of tableLines(GROUP_COLUMNS, Object.entries(report.operationError) as GroupError[])) print(line);
  print('');
  print(
    bold(
      `Step error: median ${percent(stepError.median)}, 95th percentile ${percent(stepError.p95)}, mean ${percent(stepError.mape)}, bias ${percent(stepError.bias)}`,
    ),
  );
  if (regret === null) print(`Chosen: none, for the planner finds that nothing fits; best measured: ${bestMeasured}`);
  else {
    const better = chosen === bestMeasured ? 'the best of all measured' : `${percent(regret)} over ${bestMeasured}`;
    print(`Chosen: ${chosen}, ${better}`);
  }
}

function pictured({ runs, chosen }: ValidationReport): ValidatedPoint[] {
  return runs.map(({ name, schedule, split, predictedSeconds, measuredSeconds }) => ({
    schedule,
    recomputedTokens: Math.round(split.recomputed),
    predictedSeconds,
    measuredSeconds,
    chosen: name === chosen,
  }));
}

function executedBy({ scenario, device, linkBytesPerSecond }: ValidationReport): string {
  const link = linkBytesPerSecond ? `, link paced to ${formatRate(linkBytesPerSecond)}` : '';
  return `${scenario}, executed on ${device}${link}`;
}

function finding({ runs, chosen, bestMeasured, regret }: ValidationReport): string {
  if (regret === null)
    return `The planner finds that nothing fits; ${bestMeasured} is the best of ${runs.length} measured`;
  return chosen === bestMeasured
    ? `The choice, ${chosen}, is the best of ${runs.length} measured`
    : `The choice, ${chosen}, is within ${percent(regret)} of the best of ${runs.length} measured`;
}

function errorFinding({ runs, stepError }: ValidationReport): string {
  return `Half of ${runs.length} predictions are within ${percent(stepError.median)}, 95 % of them within ${percent(stepError.p95)}`;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
