import { runNode, setUp } from './setup.mjs';

setUp();
runNode('node_modules/@biomejs/biome/bin/biome', ['check', '.']);
runNode('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.json']);
runNode('node_modules/knip/bin/knip.js', []);
runNode('node_modules/vitest/vitest.mjs', ['run', ...process.argv.slice(2)]);
