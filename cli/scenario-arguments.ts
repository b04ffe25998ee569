import { dirname, resolve } from 'node:path';
import type { Argv } from 'yargs';
import { blaming } from '../sim/scenario/blame.ts';
import { InputError } from '../sim/scenario/input-error.ts';
import { documentFromText, scenarioFromDocument } from '../sim/scenario/parse.ts';
import { valueAt } from '../sim/scenario/path.ts';
import { isPath } from '../sim/scenario/resolve.ts';
import type { Scenario } from '../sim/scenario/scenario.ts';
import { COMMAND_LINE } from '../sim/scenario/set.ts';
import { readJson, readMeasurements, readText } from './input.ts';
import { note } from './output.ts';
import { UsageError } from './usage-error.ts';

/** Flags that stand for a path of the scenario. */
const FLAGS = {
  model: { at: 'model', describe: 'Name of a model, or path of a Hugging Face config.json' },
  machine: { at: 'machine', describe: 'Name of a machine, or path of a profile' },
  batch: { at: 'workload.batch', describe: 'Sequences in a micro-batch' },
  prompt: { at: 'workload.promptTokens', describe: 'Prompt tokens of each sequence' },
  generate: { at: 'workload.generatedTokens', describe: 'Tokens to generate for each sequence' },
  'micro-batches': { at: 'workload.microBatches', describe: 'Micro-batches that share one load of the weights' },
  weights: { at: 'placement.weights', describe: 'Where the weights live: gpu or host' },
} as const;

type Flag = keyof typeof FLAGS;

const REQUIRED = ['model', 'machine', 'batch', 'prompt', 'generate'] as const;

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
  const sets = setsOf(args);
  if (args.scenario === undefined && sets.length === 0) {
    throw new UsageError('no scenario: name a file, or give --model, --machine, --batch, --prompt and --generate');
  }
  const file = originName(args);
  const document =
    args.scenario === undefined ? {} : documentFromText(readText(args.scenario, 'a scenario (YAML or JSON)'), file);
  const folder = args.scenario === undefined ? '.' : dirname(args.scenario);
  const readModelConfig = (path: string) => readJson(resolve(folder, path));
  const readProfile = (path: string) => readMeasurements(resolve(folder, path));
  const scenario = namingFlags(args, () =>
    scenarioFromDocument(document, { file, sets, readModelConfig, readProfile }),
  );
  if (valueAt(document, ['sweep']) !== undefined)
    note('The scenario has a "sweep": the sweep command runs it, here it is left aside.');
  return scenario;
}

/** Does work on the scenario that the arguments describe; an InputError from it names what gave the values. */
export function withScenario<T>(args: ScenarioArguments, work: () => T): T {
  return blaming({ file: originName(args), sets: setsOf(args) }, true, work);
}

/** What errors name as the scenario's origin. */
function originName({ scenario }: ScenarioArguments): string {
  if (scenario === undefined) return COMMAND_LINE;
  return scenario === '-' ? 'standard input' : scenario;
}

/** Whoever gives flags is told of the flags that give what is missing. */
function namingFlags<T>(args: ScenarioArguments, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof InputError) || error.found !== 'nothing' || flagSets(args).length === 0) throw error;
    const { path, found, expected, file } = error;
    const missing = REQUIRED.filter((name) => `${FLAGS[name].at}.`.startsWith(`${path}.`)).map((name) => `--${name}`);
    if (missing.length === 0 || path === '') throw error;
    throw new InputError({
      path,
      found,
      expected: `${expected}; give ${missing.join(', ')}`,
      ...(file !== undefined && { file }),
    });
  }
}

function setsOf(args: ScenarioArguments): string[] {
  return [...flagSets(args), ...(args.set ?? [])];
}

function flagSets(args: ScenarioArguments): string[] {
  const names = Object.keys(FLAGS) as Flag[];
  const sets = names.flatMap((name) => {
    const value = args[name];
    if (value === undefined) return [];
    if (typeof value !== 'string') throw new UsageError(`--${name} is given more than once`);
    return [
      `${FLAGS[name].at}=${(name === 'model' || name === 'machine') && isPath(value) ? JSON.stringify(resolve(value)) : value}`,
    ];
  });
  const schedules = args.schedule?.flatMap((names) => names.split(',').map((name) => name.trim()));
  return schedules ? [...sets, `schedules=${JSON.stringify(schedules)}`] : sets;
}
