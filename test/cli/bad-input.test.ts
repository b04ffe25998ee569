import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderWith, SMALL, splitpoint } from './splitpoint.ts';

/** Exit code 2, one line on standard error that matches, nothing on standard output. */
function expectRefusal(outcome: ReturnType<typeof splitpoint>, message: RegExp): void {
  expect(outcome.stdout).toBe('');
  expect(outcome.stderr).toMatch(/^splitpoint: [^\n]+\n$/);
  expect(outcome.stderr).toMatch(message);
  expect(outcome.code).toBe(2);
}

const LAUGHS = ['a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]'];
for (let i = 1; i < 12; i++)
  LAUGHS.push(
    `a${i}: &a${i} [${Array(9)
      .fill(`*a${i - 1}`)
      .join(', ')}]`,
  );

describe('a scenario file', () => {
  it.each<[string, string | Buffer, RegExp]>([
    ['an unknown key', `${SMALL}modle: 1\n`, /s\.yaml: found unknown key "modle", .*nearest: model$/m],
    ['an unknown model', SMALL.replace('opt-125m', 'opt-125'), /s\.yaml: model: found "opt-125", .*nearest: opt-125m/],
    [
      'an unknown machine',
      SMALL.replace('40gb', '41gb'),
      /s\.yaml: machine: found "a100-pcie-41gb", .*nearest: a100-pcie-40gb/,
    ],
    [
      'a wrong unit',
      SMALL.replace('a100-pcie-40gb', '{ gpu: a10, host: grace, link: { h2d: 25 GB } }'),
      /machine\.link\.h2d: found "25 GB", a size, expected a rate/,
    ],
    [
      'a negative count',
      SMALL.replace('batch: 8', 'batch: -8'),
      /s\.yaml: workload\.batch: found -8, expected a whole number from 1/,
    ],
    ['a count of zero', SMALL.replace('batch: 8', 'batch: 0'), /workload\.batch: found 0, expected/],
    [
      'an absurd count',
      SMALL.replace('batch: 8', 'batch: 80000000'),
      /workload\.batch: found 80000000, expected a whole number from 1 to 65536/,
    ],
    [
      'a split beyond the context',
      `${SMALL}split: { recomputed: 65 }\n`,
      /split: found recomputed 65 = 65 tokens, expected at most/,
    ],
    [
      'a split that does not add up',
      `${SMALL}split: { recomputed: 3, transferred: 4 }\n`,
      /split: found .* = 7 tokens, expected exactly/,
    ],
    [
      'a context beyond the model’s',
      SMALL.replace('64', '2047'),
      /workload: found promptTokens 2047 \+ generatedTokens 2 = 2049, expected at most 2048/,
    ],
    [
      'a repository as a model',
      SMALL.replace('opt-125m', 'facebook/opt-125m'),
      /opt-125m: found no such file, expected a JSON file, or the name of a model; nearest: opt-125m/,
    ],
    ['a list', '[1, 2]', /s\.yaml: found \[1,2\], expected a mapping/],
    ['bad syntax', 'model: [', /s\.yaml: line \d: found bad syntax/],
    ['exploding anchors', LAUGHS.join('\n'), /s\.yaml: found aliases that multiply without end/],
    [
      'an alias that contains itself',
      SMALL.replace('opt-125m', '&a [*a]'),
      /s\.yaml: line 2: found the alias \*a inside/,
    ],
    ['nothing in it', '', /s\.yaml: found an empty file, expected a scenario/],
    [
      'binary data',
      Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 1, 2]),
      /s\.yaml: found binary data, expected a scenario/,
    ],
    [
      'text that is not UTF-8',
      Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe]),
      /s\.yaml: found bytes that are not UTF-8 text/,
    ],
    ['more than a mebibyte', Buffer.alloc(2 ** 21, 'a'), /s\.yaml: found more than a mebibyte/],
    ['control characters', 'a\u009b31mb: 1\n"\\e[31m": 1', /found/],
  ])('with %s is refused', (_, content, message) => {
    expectRefusal(splitpoint(['plan', 's.yaml'], { cwd: folderWith({ 's.yaml': content }) }), message);
  });

  it('that is missing, or a folder, is refused', () => {
    const cwd = folderWith({});
    mkdirSync(join(cwd, 'folder'));
    expectRefusal(
      splitpoint(['plan', 'nowhere.yaml'], { cwd }),
      /nowhere\.yaml: found no such file, expected a scenario \(YAML or JSON\)/,
    );
    expectRefusal(splitpoint(['plan', 'folder'], { cwd }), /folder: found a folder, expected a scenario/);
  });

  it('on standard input is named so', () => {
    expectRefusal(splitpoint(['plan', '-'], { input: 'model: 1' }), /standard input: model: found 1/);
    expectRefusal(splitpoint(['plan', '-'], { input: '' }), /standard input: found an empty file/);
  });

  it('whose config.json lacks fields, is no JSON or is missing is refused with the name of that file', () => {
    const text = SMALL.replace('opt-125m', './config.json');
    const lacking = JSON.stringify({ model_type: 'opt', hidden_size: 768 });
    expectRefusal(
      splitpoint(['plan', 's.yaml'], { cwd: folderWith({ 's.yaml': text, 'config.json': lacking }) }),
      /config\.json: num_hidden_layers: found nothing/,
    );
    expectRefusal(
      splitpoint(['plan', 's.yaml'], { cwd: folderWith({ 's.yaml': text, 'config.json': '{' }) }),
      /config\.json: found bad JSON/,
    );
    expectRefusal(
      splitpoint(['plan', 's.yaml'], { cwd: folderWith({ 's.yaml': text }) }),
      /config\.json: found no such file, expected a JSON file/,
    );
  });
});

describe('an output', () => {
  it.each<[string, string[], RegExp]>([
    ['in no folder', ['--plot', 'nowhere/a.svg'], /nowhere\/a\.svg: found no such folder, expected a file name/],
    ['below a file', ['--plot', 's.yaml/a.svg'], /s\.yaml\/a\.svg: found a file where a folder should be/],
    ['that is a folder', ['--plot', 'folder.svg'], /folder\.svg: found a folder/],
    ['written as a folder', ['--plot', 'a.svg/'], /a\.svg\/: found a folder/],
    ['with an unknown ending', ['--plot', 'a.jpg'], /a\.jpg: found the ending \.jpg/],
    ['given twice', ['--plot', 'a.svg', '--plot', './a.svg'], /a\.svg: found the same file twice, expected a file for/],
    ['of two kinds', ['--plot', 'a.svg', '--plot-split', 'link/a.svg'], /link\/a\.svg: found the same file twice/],
  ])('%s is refused before any work', (_, args, message) => {
    const cwd = folderWith({ 's.yaml': SMALL });
    mkdirSync(join(cwd, 'folder.svg'));
    symlinkSync(cwd, join(cwd, 'link'));
    expectRefusal(splitpoint(['plan', 's.yaml', '--plot', 'good.svg', ...args], { cwd }), message);
    expect(readdirSync(cwd).toSorted()).toEqual(['folder.svg', 'link', 's.yaml']);
  });

  it('that is a trace is refused before any work too', () => {
    const cwd = folderWith({ 's.yaml': SMALL });
    expectRefusal(
      splitpoint(['simulate', 's.yaml', '--trace', 'nowhere/t.json'], { cwd }),
      /nowhere\/t\.json: found no/,
    );
    expectRefusal(
      splitpoint(['simulate', 's.yaml', '--trace', 'a.svg', '--plot', 'a.svg'], { cwd }),
      /a\.svg: found the same file twice/,
    );
  });

  it.skipIf(process.getuid?.() === 0)('in a folder without permission is refused', () => {
    const cwd = folderWith({ 's.yaml': SMALL });
    mkdirSync(join(cwd, 'locked'), { mode: 0o555 });
    expectRefusal(splitpoint(['plan', 's.yaml', '--plot', 'locked/a.svg'], { cwd }), /found no permission to write/);
  });

  it.skipIf(!existsSync('/dev/full'))('that cannot be printed is one line on standard error', () => {
    const command = `"${process.execPath}" dist/cli/main.js models > /dev/full`;
    const { status, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
    expect(stderr).toMatch(/^splitpoint: cannot write the output: ENOSPC[^\n]*\n$/);
    expect(status).toBe(1);
  });
});

describe('a command line', () => {
  it.each<[string, string[], RegExp]>([
    ['without a command', [], /no command is given; "splitpoint --help" lists them/],
    ['with an unknown command', ['plam'], /unknown command "plam"\. Did you mean plan\?/],
    ['with a command near none', ['xyzzy'], /unknown command "xyzzy"; "splitpoint --help" lists them/],
    ['with an unknown option', ['models', '--jsn'], /Unknown argument: jsn/],
    ['with an argument too many', ['schema', 'x'], /unexpected argument "x"/],
    ['without a scenario', ['plan'], /no scenario: name a file, or give --model/],
    ['with an option without its value', ['plan', '--batch'], /Not enough arguments following: batch/],
    ['with an option given twice', ['plan', '--batch', '1', '--batch', '2'], /--batch is given more than once/],
    [
      'with a flag that means nothing',
      ['plan', '--model', 'opt-125m', '--machine', 't4', '--batch', '0', '--prompt', '8', '--generate', '1'],
      /command line: workload\.batch: found 0/,
    ],
    [
      'with flags that are not enough',
      ['plan', '--model', 'opt-125m', '--machine', 't4'],
      /command line: workload: found nothing, expected a mapping .*; give --batch, --prompt, --generate$/m,
    ],
    [
      'with all flags but one',
      ['plan', '--model', 'opt-125m', '--machine', 't4', '--batch', '1', '--prompt', '8'],
      /command line: workload\.generatedTokens: found nothing, .*; give --generate$/m,
    ],
    [
      'with a placement against the schedules',
      ['plan', 'scenarios/paper-throughput.yaml', '--set', 'placement.weights=gpu'],
      /command line: schedules\[\d\]: found kvpr-column/,
    ],
    [
      'with a malformed --set',
      ['plan', '--model', 'opt-125m', '--set', 'nonsense'],
      /command line: found "nonsense", expected path=value/,
    ],
    [
      'with an unknown schedule',
      ['plan', '--model', 'opt-125m', '--schedule', 'kvpr-rwo'],
      /command line: schedules\[0\]: found "kvpr-rwo", .*nearest: kvpr-row/,
    ],
    [
      'with an unknown model to show',
      ['models', 'opt-6b'],
      /model: found "opt-6b", expected the name of a model; nearest: opt-6\.7b/,
    ],
    [
      'with an unknown machine to show',
      ['machines', 'a101'],
      /machine: found "a101", expected the name of a machine; nearest:/,
    ],
  ])('%s is refused', (_, args, message) => {
    expectRefusal(splitpoint(args), message);
  });
});
