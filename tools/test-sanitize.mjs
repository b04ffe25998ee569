// Runs the tests of the native code and the fuzzer under sanitizers: addresses and undefined behaviour, then threads.
import { fileURLToPath } from 'node:url';
import { run } from './setup.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ITERATIONS = process.env.FUZZ_ITERATIONS ?? '4000';
const SEED = process.env.FUZZ_SEED ?? '1';

for (const sanitizer of ['address', 'thread']) {
  console.error(`Sanitizer: ${sanitizer}`);
  const folder = `${ROOT}build/sanitize-${sanitizer}`;
  const options = ['-DSPLITPOINT_TESTS=ON', '-DSPLITPOINT_CUDA=OFF', `-DSPLITPOINT_SANITIZE=${sanitizer}`];
  run('cmake', ['-S', `${ROOT}native`, '-B', folder, '-DCMAKE_BUILD_TYPE=Debug', ...options]);
  run('cmake', ['--build', folder, '--target', 'core_tests', 'fuzz_plan', '--parallel', '2']);
  run(`${folder}/core_tests`, []);
  run(`${folder}/fuzz_plan`, [ITERATIONS, SEED]);
}
