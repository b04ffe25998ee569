import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** A repository with nothing in it but the tool, and programs that are there but do nothing. */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'splitpoint-'));
  for (const name of ['tools', 'native/addon', 'build/native/Release', 'bin']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  copyFileSync('tools/build-native.mjs', join(folder, 'tools/build-native.mjs'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function buildWith(programs: readonly string[], ...options: string[]) {
  for (const name of programs) {
    writeFileSync(join(folder, 'bin', name), '#!/bin/sh\n');
    chmodSync(join(folder, 'bin', name), 0o755);
  }
  const env = { PATH: join(folder, 'bin') };
  const args = [join(folder, 'tools/build-native.mjs'), ...options];
  return spawnSync(process.execPath, args, { encoding: 'utf8', env });
}

describe('a build of the addon', () => {
  it.each([
    [[], 'there is no CMake'],
    [['cmake'], 'there is no C++ compiler (tried c++, g++, clang++)'],
    [['cmake', 'g++'], 'there is no program that builds (tried make, gmake, ninja)'],
  ])('says what is missing beside %j', (programs, missing) => {
    const { status, stderr } = buildWith(programs);
    expect({ status, stderr }).toEqual({ status: 0, stderr: `The native addon is not built: ${missing}.\n` });
  });

  it('that is required fails where something is missing', () => {
    expect(buildWith([], '--required').status).toBe(1);
  });

  it('that there can be none says so of an addon that is there and older than its sources', () => {
    const addon = join(folder, 'build/native/Release/splitpoint.node');
    writeFileSync(addon, '');
    utimesSync(addon, 0, 0);
    expect(buildWith([]).stderr).toBe(
      'The native addon is out of date and cannot be built again: there is no CMake.\n',
    );
  });
});
