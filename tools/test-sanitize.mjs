// Runs the tests of the native code and the fuzzer under sanitizers: addresses and undefined behaviour, then threads.
import { missingToolchain } from './build-native.mjs';
import { buildNativeTests } from './native-tests.mjs';
import { run } from './setup.mjs';

const ITERATIONS = process.env.FUZZ_ITERATIONS ?? '4000';
const SEED = process.env.FUZZ_SEED ?? '1';

const missing = missingToolchain();
if (missing) {
  console.error(`The sanitizers need native code, which cannot be built here: ${missing}.`);
  process.exit(1);
}
for (const sanitizer of ['address', 'thread']) {
  console.error(`Sanitizer: ${sanitizer}`);
  const folder = buildNativeTests({ sanitizer });
  run(`${folder}/core_tests`, []);
  run(`${folder}/fuzz_plan`, [ITERATIONS, SEED]);
}
