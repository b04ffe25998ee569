import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SOURCES = ['sim', 'exec', 'cli', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
const BUILT = 'dist/.built';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

/** Installs the dependencies and builds `dist`, each only where it is missing or older than what it is made from. */
export function setUp() {
  if (isOlder('node_modules/.package-lock.json', ['package-lock.json'])) install();
  if (isOlder(BUILT, SOURCES)) build();
}

/** Runs a program in the repository; where it fails, so does this process. */
export function run(program, args) {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
  if (error) console.error(`${program}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** Runs a JavaScript file of a dependency with this Node. */
export function runNode(file, args) {
  run(process.execPath, [file, ...args]);
}

function install() {
  console.error('Installing the dependencies (npm ci) …');
  const npm = process.env.npm_execpath;
  if (npm) runNode(npm, ['ci', '--no-audit', '--no-fund']);
  else run('npm', ['ci', '--no-audit', '--no-fund']);
}

function build() {
  console.error('Building dist …');
  runNode('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
  writeFileSync(BUILT, '');
}

function isOlder(product, sources) {
  return !existsSync(product) || Math.max(...sources.map(newest)) > statSync(product).mtimeMs;
}

/** Time of the newest change in a file or folder, 0 where there is none. */
function newest(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(`${path}/${name}`)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp();
