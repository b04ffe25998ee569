import { mkdirSync } from 'node:fs';
import { run } from './setup.mjs';

/**
 * Builds the tests of the native code and returns their folder. CUDA's need a CUDA compiler to build and a GPU to run.
 *
 * @param sanitizer address (with undefined behaviour), thread, or nothing
 */
export function buildNativeTests({ cuda = false, sanitizer = '' } = {}) {
  const folder = `build/native-tests${cuda ? '-cuda' : ''}${sanitizer && `-${sanitizer}`}`;
  mkdirSync(folder, { recursive: true });
  const options = [
    '-DSPLITPOINT_TESTS=ON',
    `-DSPLITPOINT_CUDA=${cuda ? 'ON' : 'OFF'}`,
    `-DSPLITPOINT_SANITIZE=${sanitizer}`,
    `-DCMAKE_BUILD_TYPE=${sanitizer ? 'Debug' : 'Release'}`,
    ...(cuda && process.env.SPLITPOINT_CUDA_ARCHITECTURES
      ? [`-DSPLITPOINT_CUDA_ARCHITECTURES=${process.env.SPLITPOINT_CUDA_ARCHITECTURES}`]
      : []),
  ];
  run('cmake', ['-S', 'native', '-B', folder, ...options]);
  run('cmake', ['--build', folder, '--parallel', '2']);
  return folder;
}
