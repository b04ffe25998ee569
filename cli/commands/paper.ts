import { fileURLToPath } from 'node:url';
import type { CommandModule } from 'yargs';
import { comparePaper, type PaperComparison } from '../../sim/planner/paper.ts';
import { bold, dim, print, printJson, withProgress } from '../output.ts';
import { loadScenario } from '../scenario-arguments.ts';
import { type Column, tableLines } from '../table.ts';

interface PaperArguments {
  json: boolean;
}

type Prediction = PaperComparison['predictions'][number];

const COLUMNS: Column<Prediction>[] = [
  { title: 'prompt', unit: 'tokens', value: ({ promptTokens }) => promptTokens },
  { title: 'generated', unit: 'tokens', value: ({ generatedTokens }) => generatedTokens },
  { title: 'against', value: ({ against }) => against },
  { title: 'predicted change', unit: '%', value: ({ change }) => 100 * change, decimals: 1 },
];

/** Scenarios that ship with the package, found from `dist/cli/commands`. */
const shipped = (name: string) => fileURLToPath(new URL(`../../../scenarios/${name}`, import.meta.url));

export const paperCommand: CommandModule<object, PaperArguments> = {
  command: 'paper',
  describe: 'Set the gains that the KVPR paper reports beside the predicted ones',
  builder: (yargs) =>
    yargs
      .option('json', { type: 'boolean', default: false, describe: 'Print one JSON array' })
      .example('$0 paper', 'reported and predicted gains, with the assumptions'),
  handler: ({ json }) => {
    const latency = loadScenario({ scenario: shipped('paper-latency.yaml') });
    const throughput = loadScenario({ scenario: shipped('paper-throughput.yaml') });
    const comparisons = withProgress('Simulating', () => comparePaper(latency, throughput));
    if (json) return printJson(comparisons);
    for (const comparison of comparisons) printComparison(comparison);
  },
};

function printComparison({
  figure,
  reportedChange,
  schedule,
  predictions,
  assumptions,
  difference,
}: PaperComparison): void {
  const sign = reportedChange > 0 ? '+' : '−';
  print(bold(`${figure}: the paper reports ${sign}${(100 * Math.abs(reportedChange)).toFixed(1)} %`));
  print(`Predicted for ${schedule}:`);
  for (const line of tableLines(COLUMNS, predictions)) print(line);
  print(difference);
  for (const assumption of assumptions) print(dim(`  assumed: ${assumption}`));
  print('');
}
