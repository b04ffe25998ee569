import { dirname, resolve } from 'node:path';
import type { Argv } from 'yargs';
import { documentFromText, scenarioFromDocument } from '../sim/scenario/parse.ts';
import { valueAt } from '../sim/scenario/path.ts';
import { isPath } from '../sim/scenario/resolve.ts';
import type { Scenario } from '../sim/scenario/scenario.ts';
import { readJson, readText } from './input.ts';
import { note } from './output.ts';
import { UsageError } from './usage-error.ts';

/** Flags that stand for a path of the scenario. */
const FLAGS = {
  model: { at: 'model', describe: 'Name of a model, or path of a Hugging Face config.json' },
  machine: { at: 'machine', describe: 'Name of a machine' },
  batch: { at: 'workload.batch', describe: 'Sequences in a micro-batch' },
  prompt: { at: 'workload.promptTokens', describe: 'Prompt tokens of each sequence' },
  generate: { at: 'workload.generatedTokens', describe: 'Tokens to generate for each sequence' },
  'micro-batches': { at: 'workload.microBatches', describe: 'Micro-batches that share one load of the weights' },
  weights: { at: 'placement.weights', describe: 'Where the weights live: gpu or host' },
} as const;

type Flag = keyof typeof FLAGS;

export interface ScenarioArguments extends Partial<Record<Flag, string>> {
  scenario?: string | undefined;
  schedule?: string[] | undefined;
  set?: string[] | undefined;
}

/** Lets a command take a scenario: from a file, from standard input (`-`) or from flags, changed by --set. */
export function scenarioArguments<T>(yargs: Argv<T>) {
  const withFlags = Object.entries(FLAGS).reduce(
    (built, [name, { describe }]) =>
      built.option(name, { type: 'string', requiresArg: true, describe, group: 'Scenario:' }),
    yargs
      .positional('scenario', { type: 'string', describe: 'Scenario file (YAML or JSON), - for standard input' })
      // Without this, yargs reads a lone - as an empty text.
      .nargs('scenario', 1),
  );
  return withFlags
    .option('schedule', {
      type: 'array',
      string: true,
      nargs: 1,
      describe: 'Schedules to consider: kvpr-row,transfer or one each time',
      group: 'Scenario:',
    })
    .option('set', {
      type: 'array',
      string: true,
      nargs: 1,
      describe: 'Change one value: path=value, for instance workload.batch=8',
      group: 'Scenario:',
    });
}

/** Reads the scenario that the arguments describe; flags and --set change what the file says. */
export function loadScenario(args: ScenarioArguments): Scenario {
  const sets = [...flagSets(args), ...(args.set ?? [])];
  if (args.scenario === undefined && sets.length === 0) {
    throw new UsageError('no scenario: name a file, or give --model, --machine, --batch, --prompt and --generate');
  }
  const file = scenarioFile(args);
  const document =
    args.scenario === undefined ? {} : documentFromText(readText(args.scenario, 'a scenario (YAML or JSON)'), file);
  const folder = args.scenario === undefined ? '.' : dirname(args.scenario);
  const scenario = scenarioFromDocument(document, {
    ...(file !== undefined && { file }),
    sets,
    readModelConfig: (path) => readJson(resolve(folder, path)),
  });
  if (valueAt(document, ['sweep']) !== undefined)
    note('The scenario has a "sweep": the sweep command runs it, here it is left aside.');
  return scenario;
}

/** What errors call the scenario's file; undefined where there is none. */
export function scenarioFile({ scenario }: ScenarioArguments): string | undefined {
  return scenario === '-' ? 'standard input' : scenario;
}

function flagSets(args: ScenarioArguments): string[] {
  const names = Object.keys(FLAGS) as Flag[];
  const sets = names.flatMap((name) => {
    const value = args[name];
    if (value === undefined) return [];
    if (typeof value !== 'string') throw new UsageError(`--${name} is given more than once`);
    return [`${FLAGS[name].at}=${name === 'model' && isPath(value) ? JSON.stringify(resolve(value)) : value}`];
  });
  const schedules = args.schedule?.flatMap((names) => names.split(',').map((name) => name.trim()));
  return schedules ? [...sets, `schedules=${JSON.stringify(schedules)}`] : sets;
}
