import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from '../sim/scenario/input-error.ts';

const MAX_BYTES = 1 << 20;
/** Measurements with all their repeats are longer than what people write. */
const MAX_MEASURED_BYTES = 16 << 20;

const WHY_UNREADABLE: Record<string, string> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  ENAMETOOLONG: 'no such file',
  EACCES: 'a file that may not be read',
  EPERM: 'a file that may not be read',
  EISDIR: 'a folder',
};

/** The text of a file, or of standard input for `-`. A folder, a binary, an empty or a huge file is an InputError. */
export function readText(path: string, expected: string, most = MAX_BYTES): string {
  const file = path === '-' ? 'standard input' : path;
  const bytes = readBytes(path, file, expected, most);
  if (bytes.length > most) {
    const found = most === MAX_BYTES ? 'more than a mebibyte' : `more than ${most >> 20} MiB`;
    throw new InputError({ file, found, expected });
  }
  if (bytes.includes(0)) throw new InputError({ file, found: 'binary data', expected });
  const text = decode(bytes, file, expected);
  if (text.trim() === '') throw new InputError({ file, found: 'an empty file', expected });
  return text;
}

/** The content of a JSON file, for instance a Hugging Face config.json. */
export function readJson(path: string): unknown {
  return parseJson(path, readText(path, 'a JSON file'));
}

/** The content of a JSON file of measurements: a profile, or what another tool measured. */
export function readMeasurements(path: string): unknown {
  return parseJson(path, readText(path, 'a JSON file', MAX_MEASURED_BYTES));
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError({ file: path, found: `bad JSON (${(error as Error).message})`, expected: 'a JSON file' });
  }
}

/** Up to one byte more than is allowed, so that an endless device ends too. */
function readBytes(path: string, file: string, expected: string, most: number): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = path === '-' ? 0 : openSync(path, 'r');
    if (fstatSync(descriptor).isDirectory()) throw new InputError({ file, found: 'a folder', expected });
    return readUpTo(descriptor, most + 1);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new InputError({ file, found: WHY_UNREADABLE[code] ?? `an unreadable file (${message})`, expected });
  } finally {
    if (descriptor) closeSync(descriptor);
  }
}

function readUpTo(descriptor: number, most: number): Buffer {
  const buffer = Buffer.alloc(most);
  let length = 0;
  while (length < most) {
    const count = readChunk(descriptor, buffer, length);
    if (count === 0) break;
    length += count;
  }
  return buffer.subarray(0, length);
}

/** Standard input from a terminal or a slow pipe says EAGAIN until there is something to read. */
function readChunk(descriptor: number, buffer: Buffer, offset: number): number {
  for (;;) {
    try {
      return readSync(descriptor, buffer, offset, buffer.length - offset, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

function decode(bytes: Buffer, file: string, expected: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError({ file, found: 'bytes that are not UTF-8 text', expected });
  }
}
