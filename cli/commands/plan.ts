import type { CommandModule } from 'yargs';
import { plan } from '../../sim/planner/plan.ts';
import { inFile } from '../../sim/scenario/in-file.ts';
import { printJson, withProgress } from '../output.ts';
import { printPlan } from '../plan-report.ts';
import { loadScenario, type ScenarioArguments, scenarioArguments } from '../scenario-arguments.ts';

interface PlanArguments extends ScenarioArguments {
  json: boolean;
}

export const planCommand: CommandModule<object, PlanArguments> = {
  command: 'plan [scenario]',
  describe: 'Choose the schedule and the split of a scenario',
  builder: (yargs) =>
    scenarioArguments(yargs)
      .option('json', { type: 'boolean', default: false, describe: 'Print one JSON document' })
      .example('$0 plan scenarios/paper-latency.yaml', 'the schedules side by side, and what to do')
      .example(
        '$0 plan --model opt-6.7b --machine a100-pcie-40gb --batch 64 --prompt 512 --generate 32',
        'without a file',
      )
      .example('$0 plan scenario.yaml --set machine.link.h2d="64 GB/s" --json', 'a changed scenario, for a program'),
  handler: (args) => {
    const scenario = loadScenario(args);
    const result = withProgress('Simulating schedules', (report) =>
      inFile(args.scenario, () => plan(scenario, report)),
    );
    if (args.json) printJson(result);
    else printPlan(result);
  },
};
