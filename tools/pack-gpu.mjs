// Collects what gpu/run.sh needs on a machine without Node, network or registry into the folder .gpu (at most 50 MiB).
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNative } from './build-native.mjs';
import { buildNativeTests } from './native-tests.mjs';
import { setUp } from './setup.mjs';

const MOST_BYTES = 50 * 2 ** 20;
const TARGET = '.gpu';
/** What draws pictures stays at home: the reports are drawn from, here. */
const LEFT_OUT = new Set(['vega', 'vega-lite', '@resvg/resvg-js', '@expo-google-fonts/inter']);

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
setUp();
buildNative({ required: true });
const tests = buildNativeTests({ cuda: true });

// The compressed Node is slow to make and stays.
for (const name of existsSync(TARGET) ? readdirSync(TARGET) : []) {
  if (name !== 'node.xz') rmSync(join(TARGET, name), { recursive: true });
}
mkdirSync(join(TARGET, 'include'), { recursive: true });
for (const path of ['dist', 'native', 'scenarios/validate', 'package.json']) copy(path, path);
copy('gpu/run.sh', 'run.sh');
copy('build/native/Release/splitpoint.node', 'build/native/Release/splitpoint.node');
for (const test of ['core_tests', 'cuda_tests']) {
  if (existsSync(`${tests}/${test}`)) copy(`${tests}/${test}`, `build/${test}`);
}
const require = createRequire(import.meta.url);
for (const folder of [
  require('node-addon-api').include_dir,
  createRequire(require.resolve('cmake-js'))('node-api-headers').include_dir,
]) {
  cpSync(folder, join(TARGET, 'include'), {
    recursive: true,
    filter: (path) => statSync(path).isDirectory() || path.endsWith('.h'),
  });
}
for (const name of neededPackages()) copy(`node_modules/${name}`, `node_modules/${name}`);
writeFileSync(join(TARGET, 'COMMIT'), `${commit()}\n`);
packNode();

const bytes = sizeOf(TARGET);
console.error(`${TARGET}: ${(bytes / 2 ** 20).toFixed(1)} MiB. On the GPU machine: ${TARGET}/run.sh OUTDIR`);
if (bytes > MOST_BYTES) {
  console.error(`That is more than ${MOST_BYTES / 2 ** 20} MiB.`);
  process.exit(1);
}

function copy(from, to) {
  cpSync(from, join(TARGET, to), { recursive: true, dereference: true });
}

/** The packages of the command line with all they depend on, by name. */
function neededPackages() {
  const needed = new Set();
  const add = (name) => {
    if (needed.has(name) || LEFT_OUT.has(name)) return;
    needed.add(name);
    for (const dependency of Object.keys(manifest(name).dependencies ?? {})) add(dependency);
  };
  for (const name of Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).dependencies)) add(name);
  return needed;
}

function manifest(name) {
  return JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
}

function commit() {
  const { status, stdout } = spawnSync('git', ['describe', '--always', '--dirty', '--abbrev=40'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : 'unknown';
}

/** This very Node, stripped and compressed. */
function packNode() {
  const packed = join(TARGET, 'node.xz');
  if (existsSync(packed)) return;
  const stripped = join(TARGET, 'node.stripped');
  execFileSync('strip', ['-o', stripped, process.execPath]);
  execFileSync('sh', ['-c', 'xz -9 -T2 -c "$1" > "$2.part" && mv "$2.part" "$2"', 'sh', stripped, packed]);
  rmSync(stripped);
}

function sizeOf(path) {
  const stat = statSync(path);
  return stat.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : stat.size;
}
