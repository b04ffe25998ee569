// Compiles the benchmarks and runs those whose name contains the argument, or all of them.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setUp } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
setUp();
const output = join(root, 'build', 'bench');
rmSync(output, { recursive: true, force: true });
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const compiled = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.bench.json'], { stdio: 'inherit' });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

const wanted = process.argv[2] ?? '';
console.log(
  `${cpus()[0]?.model}, ${availableParallelism()} cores, node ${process.version}, ${new Date().toISOString()}`,
);
const folder = join(output, 'bench');
const files = readdirSync(folder).filter((file) => file.endsWith('.js') && file.includes(wanted));
let ran = 0;
for (const file of files.sort()) {
  const { run } = await import(pathToFileURL(join(folder, file)).href);
  if (!run) continue;
  console.log(`\n== ${file.slice(0, -'.js'.length)} ==`);
  await run();
  ran++;
}
if (ran === 0) {
  console.error(`no benchmark's name contains "${wanted}"`);
  process.exit(2);
}
