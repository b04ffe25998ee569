import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { folderWith, SMALL } from './splitpoint.ts';

const CPU = ['--backend', 'cpu'];

it.skipIf(process.platform === 'win32').each([
  ['run', ['run', 'pipe', ...CPU]],
  ['validate', ['validate', 'pipe', ...CPU]],
  ['profile', ['profile', '--for', 'pipe', ...CPU, '--out', 'here.json']],
])('an interrupt of %s before its work has begun is said, with the code of interrupted commands', async (_, args) => {
  const cwd = folderWith({});
  spawnSync('mkfifo', [join(cwd, 'pipe')]);
  const child = spawn(process.execPath, [resolve('dist/cli/main.js'), ...args], { cwd });
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const exit = new Promise((done) => child.on('close', (code, signal) => done(code ?? signal)));
  // Opened once the command reads its scenario, which it does in one go.
  const pipe = await open(join(cwd, 'pipe'), 'w');
  child.kill('SIGINT');
  await pipe.write(SMALL).catch(() => {});
  await pipe.close();
  expect(await exit).toBe(130);
  expect(stderr).toBe('splitpoint: interrupted\n');
  expect(readdirSync(cwd)).toEqual(['pipe']);
});
