import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkOutputs, writeFileAtomically } from '../../cli/files.ts';
import { InputError } from '../../sim/scenario/input-error.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'splitpoint-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('text, bytes and pieces of text are written whole', () => {
  const file = join(folder, 'file');
  writeFileAtomically(file, 'text µ');
  expect(readFileSync(file, 'utf8')).toBe('text µ');
  writeFileAtomically(file, Uint8Array.of(0, 255));
  expect([...readFileSync(file)]).toEqual([0, 255]);
  writeFileAtomically(file, ['a', 'b', 'c']);
  expect(readFileSync(file, 'utf8')).toBe('abc');
  expect(readdirSync(folder)).toEqual(['file']);
});

test('a write that fails half-way leaves the file as it was and nothing beside it', () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'before');
  const pieces = function* () {
    yield 'half';
    throw new Error('no more');
  };
  expect(() => writeFileAtomically(file, pieces())).toThrow('no more');
  expect(readFileSync(file, 'utf8')).toBe('before');
  expect(readdirSync(folder)).toEqual(['file']);
});

test('a place where nothing can be written is bad input that names the path', () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  for (const [path, found] of [
    [join(folder, 'missing', 'file'), 'no such folder'],
    [join(file, 'file'), 'a file where a folder should be'],
    [folder, 'a folder'],
    [join(folder, 'x'.repeat(300)), 'a name that is too long'],
  ]) {
    const write = () => writeFileAtomically(path, 'text');
    expect(write).toThrow(InputError);
    expect(write).toThrow(path);
    expect(write).toThrow(found);
  }
  expect(readdirSync(folder)).toEqual(['file']);
});

test('what cannot be written is found before anything is written, and nothing is left of looking', () => {
  expect(() => checkOutputs([join(folder, 'a'), join(folder, 'b')])).not.toThrow();
  expect(() => checkOutputs([''])).toThrow('found an empty file name, expected a file name in an existing');
  expect(() => checkOutputs([join(folder, 'missing', 'file')])).toThrow('no such folder');
  expect(readdirSync(folder)).toEqual([]);
});

test.skipIf(!existsSync('/proc/self'))('a folder that takes no files is found out', () => {
  expect(() => checkOutputs(['/proc/x.json'])).toThrow(
    '/proc/x.json: found a folder that takes no files, expected a file name',
  );
});

test.skipIf(!existsSync('/dev/full'))('where there is no space left, space is asked for', () => {
  expect(() => writeFileAtomically('/dev/full', 'text')).toThrow(
    '/dev/full: found no space left, expected space for the file',
  );
});

test('a link stays a link and its file keeps its permissions', () => {
  mkdirSync(join(folder, 'elsewhere'));
  const file = join(folder, 'elsewhere', 'file');
  writeFileSync(file, 'before');
  chmodSync(file, 0o640);
  symlinkSync(file, join(folder, 'link'));
  writeFileAtomically(join(folder, 'link'), 'after');
  expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
  expect(readFileSync(file, 'utf8')).toBe('after');
  expect(statSync(file).mode & 0o777).toBe(0o640);
});

test.skipIf(!existsSync('/dev/null'))('a device is written to, not replaced', () => {
  writeFileAtomically('/dev/null', 'text');
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
});
