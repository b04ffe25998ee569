import type { CommandModule } from 'yargs';
import { MODEL_NAMES } from '../../sim/model/catalogue.ts';
import { summariseModel } from '../../sim/model/quantities.ts';
import type { ModelSummary } from '../../sim/planner/result.ts';
import { resolveModel } from '../../sim/scenario/resolve.ts';
import { print, printJson } from '../output.ts';
import { type Column, tableLines } from '../table.ts';

interface ModelsArguments {
  name?: string | undefined;
  json: boolean;
}

const COLUMNS: Column<ModelSummary>[] = [
  { title: 'model', value: ({ name }) => name },
  { title: 'parameters', unit: '10⁹', value: ({ parameters }) => parameters / 1e9 },
  { title: 'active', unit: '10⁹', value: ({ activeParameters }) => activeParameters / 1e9 },
  { title: 'layers', value: ({ layers }) => layers },
  { title: 'KV', unit: 'B/token/layer', value: ({ kvBytesPerTokenPerLayer }) => kvBytesPerTokenPerLayer },
  { title: 'activation', unit: 'B/token/layer', value: (model) => model.activationBytesPerTokenPerLayer },
  {
    title: 'activation ÷ KV',
    decimals: 2,
    value: (model) => model.activationBytesPerTokenPerLayer / model.kvBytesPerTokenPerLayer,
  },
  { title: 'recompute', unit: 'MFLOP/token/layer', value: (model) => model.recomputeFlopsPerTokenPerLayer / 1e6 },
];

export const modelsCommand: CommandModule<object, ModelsArguments> = {
  command: 'models [name]',
  describe: 'List the models, or show one',
  builder: (yargs) =>
    yargs
      .positional('name', { type: 'string', describe: 'Show this model only' })
      .option('json', { type: 'boolean', default: false, describe: 'Print one JSON array' })
      .example('$0 models', 'bytes and FLOPs per token of every model, at fp16')
      .example('$0 models llama-3.1-8b --json', 'one of them, for a program'),
  handler: ({ name, json }) => {
    const shapes = (name === undefined ? MODEL_NAMES : [name]).map((model) => resolveModel(model, {}));
    const models = shapes.map(summariseModel);
    if (json) return printJson(models);
    for (const line of tableLines(COLUMNS, models)) print(line);
    print('');
    print(
      'Bytes at fp16. Where an activation is no smaller than the KV it replaces, recomputing saves nothing on the link.',
    );
  },
};
