import { mkdirSync } from 'node:fs';
import { runNode, setUp } from './setup.mjs';

const SCENARIO = 'scenarios/paper-latency.yaml';
const SCHEDULES = ['out/schedules.svg', 'out/schedules.png', 'out/schedules.html'];
const SPLIT = ['out/split.svg', 'out/split.png', 'out/split.html'];
const STEP = ['out/step.svg', 'out/step.png', 'out/step.html'];
const TRACE = 'out/trace.json';

setUp();
mkdirSync('out', { recursive: true });
runNode('dist/cli/main.js', ['plan', SCENARIO, ...each('--plot', SCHEDULES), ...each('--plot-split', SPLIT)]);
runNode('dist/cli/main.js', ['simulate', SCENARIO, '--trace', TRACE, ...each('--plot', STEP)]);
console.log(`
The schedules side by side: ${SCHEDULES.join(', ')}
Step time against split:    ${SPLIT.join(', ')}
One step, stream by stream: ${STEP.join(', ')}
Every operation:            ${TRACE} (opens in Perfetto, ui.perfetto.dev)`);

function each(option, files) {
  return files.flatMap((file) => [option, file]);
}
