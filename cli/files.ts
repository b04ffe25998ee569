import {
  accessSync,
  closeSync,
  constants,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../sim/scenario/input-error.ts';

const EXPECTED = 'a file name in an existing, writable folder';

/** Why a file cannot be written, for the errors that another path would cure. */
const UNWRITABLE: Record<string, string> = {
  ENOENT: 'no such folder',
  ENOTDIR: 'a file where a folder should be',
  EISDIR: 'a folder',
  EACCES: 'no permission to write',
  EPERM: 'no permission to write',
  EROFS: 'a read-only file system',
  ENAMETOOLONG: 'a name that is too long',
  ELOOP: 'a loop of links',
  ENOSPC: 'no space left',
  EDQUOT: 'no space left',
};

/** Another name does not help against these. */
const FULL = new Set(['ENOSPC', 'EDQUOT']);

let temporaries = 0;

/**
 * Checks, before any work is done, that files can be written at these paths and that no two are the same file.
 * Throws an InputError naming the first that fails. What is there stays as it is.
 */
export function checkOutputs(paths: readonly string[]): void {
  const seen = new Set<string>();
  for (const path of paths) {
    const target = asInputError(path, () => writableTarget(path));
    if (target !== undefined && seen.has(target)) {
      throw new InputError({ file: path, found: 'the same file twice', expected: 'a file for each output' });
    }
    if (target !== undefined) seen.add(target);
  }
}

/** The file that would be replaced or made, links followed; undefined for a device or a pipe. */
function writableTarget(path: string): string | undefined {
  if (path === '') throw new InputError({ found: 'an empty file name', expected: EXPECTED });
  const existing = statOf(path);
  if (existing !== undefined && !existing.isFile()) {
    accessSync(path, constants.W_OK);
    return undefined;
  }
  const target = existing ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path));
  const folder = dirname(target);
  if (!statSync(folder).isDirectory()) throw Object.assign(new Error('is a file'), { code: 'ENOTDIR' });
  tryCreating(folder, path);
  return target;
}

/** Permissions alone do not say: some folders take no files, whoever asks. */
function tryCreating(folder: string, path: string): void {
  const temporary = temporaryIn(folder);
  try {
    closeSync(openSync(temporary, 'wx'));
    rmSync(temporary);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new InputError({ file: path, found: 'a folder that takes no files', expected: EXPECTED });
  }
}

function temporaryIn(folder: string): string {
  return join(folder, `.splitpoint-${process.pid}-${temporaries++}.tmp`);
}

/**
 * Writes a file whole or not at all: into a temporary name in the same folder, then renamed. Devices and pipes are written directly.
 * Throws an InputError naming the path where nothing can be written there.
 */
export function writeFileAtomically(path: string, data: string | Uint8Array | Iterable<string>): void {
  asInputError(path, () => {
    const existing = statOf(path);
    if (existing !== undefined && !existing.isFile()) write(path, data);
    else writeAndRename(existing ? realpathSync(path) : path, existing, data);
  });
}

function statOf(path: string): Stats | undefined {
  const existing = statSync(path, { throwIfNoEntry: false });
  // A name that ends in a slash is a folder's, whether there is one or not.
  if (existing?.isDirectory() || /[\\/]$/.test(path)) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
  return existing;
}

function asInputError<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const found = UNWRITABLE[code];
    if (found === undefined) throw error;
    throw new InputError({ file: path, found, expected: FULL.has(code) ? 'space for the file' : EXPECTED });
  }
}

function writeAndRename(path: string, existing: Stats | undefined, data: string | Uint8Array | Iterable<string>): void {
  const temporary = temporaryIn(dirname(path));
  try {
    write(temporary, data, existing?.mode);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function write(path: string, data: string | Uint8Array | Iterable<string>, mode = 0o666): void {
  const file = openSync(path, 'w', mode);
  try {
    if (typeof data === 'string' || data instanceof Uint8Array) writeFileSync(file, data);
    else for (const chunk of data) writeFileSync(file, chunk);
  } finally {
    closeSync(file);
  }
}
