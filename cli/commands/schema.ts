import type { CommandModule } from 'yargs';
import { scenarioJsonSchema } from '../../sim/scenario/schema.ts';
import { printJson } from '../output.ts';

export const schemaCommand: CommandModule = {
  command: 'schema',
  describe: 'Print the JSON Schema of a scenario',
  builder: (yargs) =>
    yargs
      .option('json', { type: 'boolean', describe: 'Print one JSON document, as it does anyway' })
      .example('$0 schema > scenario.schema.json', 'for completion and checks in an editor'),
  handler: () => printJson(scenarioJsonSchema()),
};
