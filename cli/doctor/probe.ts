import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const TIMEOUT_MS = 10_000;

/** A file's text, null where it cannot be read. */
export function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** The names in a folder, none where it cannot be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** Full path of a program in the search path or in the folders given, null where there is none. */
export function programPath(name: string, folders: readonly string[] = []): string | null {
  const candidates = [...(process.env.PATH ?? '').split(delimiter), ...folders].filter((folder) => folder !== '');
  return candidates.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

/** What a program prints, null where it cannot run, fails, or takes longer than ten seconds. */
export function outputOf(program: string, args: readonly string[]): string | null {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', timeout: TIMEOUT_MS });
  return status === 0 ? stdout.trim() : null;
}

/** Shared libraries whose file name starts like this: those the loader knows, then those in the folders given. */
export function libraries(prefix: string, folders: readonly string[] = []): string[] {
  const cache = outputOf('/sbin/ldconfig', ['-p']) ?? '';
  const known = [...cache.matchAll(/=> (\S+)/g)].map(([, path]) => path);
  const others = folders.flatMap((folder) => namesIn(folder).map((name) => join(folder, name)));
  return [...new Set([...known, ...others])].filter((path) => path.split('/').at(-1)?.startsWith(prefix));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
