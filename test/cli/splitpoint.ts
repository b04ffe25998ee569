import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';

const MAIN = resolve('dist/cli/main.js');

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the built command in a folder, by default the repository's. */
export function splitpoint(args: string[], options: { cwd?: string; input?: string | Buffer } = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', ...options });
  return { code: status, stdout, stderr };
}

/** A folder with these files that is gone after the test. */
export function folderWith(files: Record<string, string | Buffer>): string {
  const folder = mkdtempSync(join(tmpdir(), 'splitpoint-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

/** A small scenario that is planned in a moment. */
export const SMALL = `name: small
model: opt-125m
machine: a100-pcie-40gb
workload: { batch: 8, promptTokens: 64, generatedTokens: 2 }
`;
