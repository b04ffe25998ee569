import { mkdirSync } from 'node:fs';
import { runNode, setUp } from './setup.mjs';

setUp();
mkdirSync('out', { recursive: true });
runNode('dist/cli/main.js', ['plan', 'scenarios/paper-latency.yaml', ...process.argv.slice(2)]);
