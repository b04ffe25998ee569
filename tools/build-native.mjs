// Builds the native addon, where that is possible, into build/native/Release/splitpoint.node.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ADDON = `${ROOT}build/native/Release/splitpoint.node`;
/** What the addon was built with: another wish makes it stale. */
const BUILT_WITH = `${ROOT}build/native/settings.txt`;
const SOURCES = ['addon', 'core', 'cpu', 'cuda', 'CMakeLists.txt'].map((name) => `${ROOT}native/${name}`);

/** Why the addon cannot be built here, or null. */
export function missingToolchain() {
  if (!succeeds('cmake')) return 'there is no CMake';
  const compilers = [process.env.CXX, 'c++', 'g++', 'clang++'].filter(Boolean);
  if (!compilers.some(succeeds)) return `there is no C++ compiler (tried ${compilers.join(', ')})`;
  const programs = ['make', 'gmake', 'ninja'];
  return programs.some(succeeds) ? null : `there is no program that builds (tried ${programs.join(', ')})`;
}

/**
 * Builds the addon where it is missing or older than its sources. Without what builds it, it says so and returns false; where the addon
 * is `required` the process ends instead, as it does where the build fails.
 * SPLITPOINT_CUDA_ARCHITECTURES=90 compiles for fewer GPUs, SPLITPOINT_CUDA=OFF for none.
 */
export function buildNative({ required = false } = {}) {
  const { SPLITPOINT_CUDA = 'ON', SPLITPOINT_CUDA_ARCHITECTURES = '' } = process.env;
  const settings = `SPLITPOINT_CUDA=${SPLITPOINT_CUDA} SPLITPOINT_CUDA_ARCHITECTURES=${SPLITPOINT_CUDA_ARCHITECTURES}`;
  const isNewer = existsSync(ADDON) && newest(SOURCES) <= statSync(ADDON).mtimeMs;
  if (isNewer && existsSync(BUILT_WITH) && readFileSync(BUILT_WITH, 'utf8') === settings) return true;
  const missing = missingToolchain();
  if (missing) {
    const state = existsSync(ADDON) ? 'is out of date and cannot be built again' : 'is not built';
    console.error(`The native addon ${state}: ${missing}.`);
    if (required) process.exit(1);
    return false;
  }
  console.error('Building the native addon …');
  const started = new Date();
  // All always, for CMake remembers what it was told before.
  cmakeJs('configure', ...settings.split(' ').map((setting) => `--CD${setting}`));
  cmakeJs('build', '--parallel', '2');
  // Where the newer source changed nothing, the linker did not run. What was edited meanwhile is newer still.
  utimesSync(ADDON, started, started);
  writeFileSync(BUILT_WITH, settings);
  return true;
}

function cmakeJs(command, ...options) {
  const program = require.resolve('cmake-js/bin/cmake-js');
  const folders = ['--directory', `${ROOT}native`, '--out', `${ROOT}build/native`];
  // Its output matters only where it fails: stdout belongs to whoever builds on the way to something else.
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [program, command, ...folders, ...options], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status === 0) return;
  console.error(stdout, stderr, error?.message ?? '');
  console.error(`The native addon could not be built (cmake-js ${command} failed).`);
  process.exit(1);
}

function succeeds(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Time of the newest change in files and folders. */
function newest(paths) {
  return Math.max(
    ...paths.map((path) => {
      if (!existsSync(path)) return 0;
      const stat = statSync(path);
      return stat.isDirectory() ? newest(readdirSync(path).map((name) => `${path}/${name}`)) : stat.mtimeMs;
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildNative({ required: process.argv.includes('--required') });
