import { closeSync, openSync, realpathSync, renameSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError } from '../sim/scenario/input-error.ts';

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
};

let writes = 0;

/**
 * Writes a file whole or not at all: into a temporary name in the same folder, then renamed. Devices and pipes are written directly.
 * Throws an InputError naming the path where nothing can be written there.
 */
export function writeFileAtomically(path: string, data: string | Uint8Array | Iterable<string>): void {
  try {
    const existing = statSync(path, { throwIfNoEntry: false });
    if (existing?.isDirectory()) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
    if (existing !== undefined && !existing.isFile()) write(path, data);
    else writeAndRename(existing ? realpathSync(path) : path, existing, data);
  } catch (error) {
    const found = UNWRITABLE[(error as NodeJS.ErrnoException).code ?? ''];
    if (found === undefined) throw error;
    throw new InputError({ file: path, found, expected: 'a file name in an existing, writable folder' });
  }
}

function writeAndRename(path: string, existing: Stats | undefined, data: string | Uint8Array | Iterable<string>): void {
  const temporary = join(dirname(path), `.splitpoint-${process.pid}-${writes++}.tmp`);
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
