import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** Every import of the source files in a folder: the file, and the folder it reaches or the package it names. */
function importsOf(folder: string): { file: string; target: string }[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.flatMap((name) => {
    const file = join(folder, name);
    const specifiers = ts.preProcessFile(readFileSync(file, 'utf8')).importedFiles.map(({ fileName }) => fileName);
    return specifiers.map((target) => ({
      file,
      target: target.startsWith('.') ? normalize(join(dirname(file), target)) : target,
    }));
  });
}

const outside = (folder: string, allowed: readonly string[]) =>
  importsOf(folder)
    .filter(({ target }) => !allowed.some((start) => target === start || target.startsWith(`${start}/`)))
    .map(({ file, target }) => `${file} imports ${target}`);

describe('imports', () => {
  it('of sim reach nothing of Node and nothing outside sim but what also runs in a browser', () => {
    expect(outside('sim', ['sim', 'zod', 'yaml', 'vega-lite'])).toEqual([]);
  });

  it('of exec reach sim, Node and libraries, but not the command line', () => {
    expect(importsOf('exec').filter(({ target }) => target.startsWith('cli/') || target.startsWith('test/'))).toEqual(
      [],
    );
    const packages = importsOf('exec').filter(({ target }) => !/^(exec|sim)\/|^node:/.test(target));
    expect([...new Set(packages.map(({ target }) => target))]).toEqual(['simple-statistics']);
  });

  it('of the engine stay in the engine', () => {
    expect(outside('sim/engine', ['sim/engine'])).toEqual([]);
  });

  it('of plans reach no machine, model or schedule', () => {
    expect(outside('sim/plan', ['sim/plan', 'sim/engine/timeline.ts'])).toEqual([]);
  });

  it('of schedules reach shapes and plans, but nothing that knows time', () => {
    const known = ['sim/schedule', 'sim/plan', 'sim/model', 'sim/scenario/scenario.ts', 'sim/scenario/input-error.ts'];
    expect(outside('sim/schedule', known)).toEqual([]);
  });
});
