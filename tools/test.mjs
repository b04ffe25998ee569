import { buildNative, missingToolchain } from './build-native.mjs';
import { buildNativeTests } from './native-tests.mjs';
import { run, runNode, setUp } from './setup.mjs';

setUp();
// Before the tests, which would otherwise each find it missing. Without a compiler they are reported as skipped, but not in CI.
if (buildNative({ required: Boolean(process.env.CI) })) run(`${buildNativeTests()}/core_tests`, []);
else console.error(`The native code's own tests are skipped: ${missingToolchain()}.`);
runNode('node_modules/@biomejs/biome/bin/biome', ['check', '.']);
runNode('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.json']);
runNode('node_modules/knip/bin/knip.js', []);
runNode('node_modules/vitest/vitest.mjs', ['run', ...process.argv.slice(2)]);
