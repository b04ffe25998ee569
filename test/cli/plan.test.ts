import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PlanResult } from '../../sim/planner/result.ts';
import { smallProfile } from '../sim/profile/profiles.ts';
import { folderWith, SMALL, splitpoint } from './splitpoint.ts';

const FLAGS = [
  '--model',
  'opt-125m',
  '--machine',
  'a100-pcie-40gb',
  '--batch',
  '8',
  '--prompt',
  '64',
  '--generate',
  '2',
];

describe('splitpoint plan', () => {
  it('prints one JSON document with --json and nothing else', () => {
    const { code, stdout, stderr } = splitpoint(['plan', 's.yaml', '--json'], { cwd: folderWith({ 's.yaml': SMALL }) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const result = JSON.parse(stdout) as PlanResult;
    expect(result.scenario).toBe('small');
    expect(result.contextTokens).toBe(64);
    expect(result.candidates[0].schedule).toBe(result.recommendation?.schedule);
  });

  it('answers the same from a file, from standard input and from flags', () => {
    const cwd = folderWith({ 's.yaml': SMALL });
    const fromFile = splitpoint(['plan', 's.yaml', '--json'], { cwd }).stdout;
    expect(splitpoint(['plan', '-', '--json'], { input: SMALL }).stdout).toBe(fromFile);
    expect(splitpoint(['plan', ...FLAGS, '--set', 'name=small', '--json']).stdout).toBe(fromFile);
  });

  it('plans on the machine of a profile, named from the scenario’s folder or by --machine', () => {
    const files = {
      'profile.json': JSON.stringify(smallProfile()),
      's.yaml': SMALL.replace('a100-pcie-40gb', './profile.json'),
    };
    const cwd = folderWith(files);
    const { stdout, stderr } = splitpoint(['plan', join(cwd, 's.yaml'), '--json']);
    expect(stderr).toBe('');
    expect((JSON.parse(stdout) as PlanResult).machine).toMatchObject({ name: 'a small device', measured: true });
    const flags = FLAGS.map((flag) => (flag === 'a100-pcie-40gb' ? 'profile.json' : flag));
    expect(splitpoint(['plan', ...flags, '--set', 'name=small', '--json'], { cwd }).stdout).toBe(stdout);
    const machines = splitpoint(['machines', 'profile.json', '--json'], { cwd });
    expect(JSON.parse(machines.stdout)).toEqual([(JSON.parse(stdout) as PlanResult).machine]);
    expect(splitpoint(['machines', 'profile.json'], { cwd }).stdout).toMatch(/a small device/);
  });

  it('refuses a broken profile with one error that names it and the place in it', () => {
    const profile = { ...smallProfile(), multiprocessors: -1 };
    const cwd = folderWith({ 'p.json': JSON.stringify(profile), 's.yaml': SMALL.replace('a100-pcie-40gb', 'p.json') });
    const { code, stdout, stderr } = splitpoint(['plan', 's.yaml'], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/p\.json: multiprocessors: found -1, expected a whole number from 0/);
  });

  it('lets flags and --set change what the file says', () => {
    const args = [
      'plan',
      '-',
      '--json',
      '--batch',
      '4',
      '--schedule',
      'transfer, kvpr-row',
      '--schedule',
      'activation',
      '--set',
      'workload.promptTokens=32',
    ];
    const result = JSON.parse(splitpoint(args, { input: SMALL }).stdout) as PlanResult;
    expect(result.workload).toMatchObject({ batch: 4, promptTokens: 32 });
    expect(result.candidates.map(({ schedule }) => schedule).sort()).toEqual(['activation', 'kvpr-row', 'transfer']);
  });

  it.each([
    ['--schedule', 'kvpr-row'],
    ['--plot', 'x.vl.json'],
    ['--plot-split', 'x.vl.json'],
    ['--set', 'layers=2'],
  ])('reads the scenario after %s %s', (option, value) => {
    const cwd = folderWith({ 's.yaml': SMALL });
    expect(splitpoint(['plan', option, value, 's.yaml'], { cwd })).toMatchObject({ code: 0, stderr: '' });
  });

  it('reads a model’s config.json from the folder of the scenario', () => {
    const config = {
      model_type: 'opt',
      hidden_size: 768,
      num_hidden_layers: 12,
      num_attention_heads: 12,
      ffn_dim: 3072,
      vocab_size: 50_272,
      max_position_embeddings: 2048,
      word_embed_proj_dim: 768,
    };
    const folder = folderWith({
      's.yaml': SMALL.replace('opt-125m', './mine.json'),
      'mine.json': JSON.stringify(config),
    });
    const { stdout, stderr } = splitpoint(['plan', `${folder}/s.yaml`, '--json']);
    expect(stderr).toBe('');
    expect((JSON.parse(stdout) as PlanResult).model).toMatchObject({ name: 'mine', layers: 12 });
    const fromFlag = splitpoint(['plan', ...FLAGS.slice(2), '--model', './mine.json', '--json'], { cwd: folder });
    expect((JSON.parse(fromFlag.stdout) as PlanResult).model).toMatchObject({ name: 'mine', layers: 12 });
  });

  it('prints a table, best first, and the verdict for people', () => {
    const { code, stdout } = splitpoint(['plan', '-'], { input: SMALL });
    expect(code).toBe(0);
    const { candidates, recommendation } = JSON.parse(
      splitpoint(['plan', '-', '--json'], { input: SMALL }).stdout,
    ) as PlanResult;
    const lines = stdout.split('\n');
    const rows = candidates.map(({ schedule }) => lines.findIndex((line) => line.startsWith(`${schedule} `)));
    expect(rows).toEqual(rows.toSorted((a, b) => a - b));
    expect(stdout).toContain(`${recommendation?.verdict}: ${recommendation?.schedule}`);
    expect(stdout).toContain(recommendation?.because);
    expect(stdout).not.toContain('\u001b');
  });

  it('says what does not fit and exits with 0: infeasible is an answer', () => {
    const { code, stdout } = splitpoint(['plan', '-', '--set', 'machine.gpu.memory=100 MB'], { input: SMALL });
    expect(code).toBe(0);
    expect(stdout).toMatch(/transfer does not fit: GPU memory is [\d.]+ MiB short/);
    expect(stdout).toContain('No schedule fits this machine.');
  });

  it('marks schedules that cannot serve tokens as the split asks', () => {
    const args = ['plan', '-', '--schedule', 'transfer,kvpr-row', '--set', 'split.recomputed=20'];
    const { stdout } = splitpoint(args, { input: SMALL });
    expect(stdout).toMatch(/^transfer\* /m);
    expect(stdout).toMatch(/^kvpr-row {2}/m);
    expect(stdout).toContain('* serves other tokens than asked for: this schedule has no such way\n');
    expect(splitpoint(['plan', '-'], { input: SMALL }).stdout).not.toContain('*');
  });

  it('draws the schedules with --plot', () => {
    const cwd = folderWith({ 's.yaml': SMALL });
    const { code, stderr } = splitpoint(['plan', '--plot', 'a.svg', '--plot', 'b.vl.json', 's.yaml'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readFileSync(`${cwd}/a.svg`, 'utf8')).toMatch(/^<svg .*kvpr-pipelined/s);
    expect(JSON.parse(readFileSync(`${cwd}/b.vl.json`, 'utf8'))).toHaveProperty('$schema');
  });

  it('leaves a sweep aside and says so on standard error', () => {
    const { code, stdout, stderr } = splitpoint(['plan', '-', '--json'], {
      input: `${SMALL}sweep: { workload.batch: [1, 2] }\n`,
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty('recommendation');
    expect(stderr).toMatch(/sweep/);
  });
});
