import type { CommandModule } from 'yargs';
import { plan } from '../../sim/planner/plan.ts';
import { schedulesSpec } from '../../sim/report/schedules.ts';
import { splitCandidate, splitPicture } from '../../sim/report/split-picture.ts';
import { fileOption } from '../file-option.ts';
import { checkOutputs } from '../files.ts';
import { note, printJson, withProgress } from '../output.ts';
import { pictureDrawer } from '../pictures.ts';
import { printPlan } from '../plan-report.ts';
import { loadScenario, type ScenarioArguments, scenarioArguments, withScenario } from '../scenario-arguments.ts';

interface PlanArguments extends ScenarioArguments {
  plot?: string[] | undefined;
  'plot-split'?: string[] | undefined;
  json: boolean;
}

export const planCommand: CommandModule<object, PlanArguments> = {
  command: 'plan [scenario]',
  describe: 'Choose the schedule and the split of a scenario',
  builder: (yargs) =>
    scenarioArguments(yargs)
      .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document' })
      .option('plot', fileOption('Draw the schedules side by side into this file (.svg, .png, .html, .vl.json)'))
      .option(
        'plot-split',
        fileOption('Draw step time against split, of the best schedule that has one, into this file'),
      )
      .example('$0 plan scenarios/paper-latency.yaml', 'the schedules side by side, and what to do')
      .example(
        '$0 plan --model opt-6.7b --machine a100-pcie-40gb --batch 64 --prompt 512 --generate 32',
        'without a file',
      )
      .example('$0 plan scenario.yaml --set machine.link.h2d="64 GB/s" --json', 'a changed scenario, for a program'),
  handler: async (args) => {
    checkOutputs([...(args.plot ?? []), ...(args['plot-split'] ?? [])]);
    const draw = await pictureDrawer(args.plot);
    const drawSplit = await pictureDrawer(args['plot-split']);
    const scenario = loadScenario(args);
    const result = withProgress('Simulating schedules', (report) => withScenario(args, () => plan(scenario, report)));
    if (args.json) printJson(result);
    else printPlan(result, scenario.split);
    await draw(() => schedulesSpec(result));
    const split = splitCandidate(result);
    if (split) await drawSplit(() => splitPicture(scenario, result, split));
    else if (args['plot-split']) note('No schedule considered has a split to choose, so there is no picture of it.');
  },
};
