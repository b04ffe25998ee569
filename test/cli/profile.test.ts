import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Profile } from '../../sim/profile/profile.ts';
import { describeNative } from '../exec/native/available.ts';
import { measureFile } from '../sim/profile/measure-file.ts';
import { folderWith, splitpoint } from './splitpoint.ts';

const SCENARIO = `
name: tiny
model: { layers: 2, hidden: 64, heads: 4, ffn: 128, gated: false, vocab: 50 }
machine: ./here.json
workload: { batch: 2, promptTokens: 40, generatedTokens: 4 }
precision: { weights: fp32, kv: fp32, activations: fp32 }
`;

const TINY = ['profile', '--backend', 'cpu', '--for', 'tiny.yaml', '--out', 'here.json'];
const QUICK = [...TINY, '--minutes', '0.02'];

describeNative('splitpoint profile', () => {
  it('measures what a scenario needs, into the file that it names as its machine', () => {
    const cwd = folderWith({ 'tiny.yaml': SCENARIO });
    const { code, stdout, stderr } = splitpoint([...QUICK, '--link-rate', '4 GB/s'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('One copy between host and GPU memory after another of the same size');
    expect(stdout).toMatch(/^h2d pinned 4 KiB +\S+ (ns|µs|ms) +/m);
    expect(stdout).toMatch(/written to here\.json; a scenario takes it as machine: "here\.json"\n$/);
    const planned = splitpoint(['plan', 'tiny.yaml', '--json'], { cwd });
    expect(planned.code).toBe(0);
    expect(JSON.parse(planned.stdout).machine.measured).toBe(true);
  });

  it('prints the profile that it writes as one JSON document', () => {
    const cwd = folderWith({ 'tiny.yaml': SCENARIO });
    const { code, stdout } = splitpoint([...QUICK, '--json'], { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(join(cwd, 'here.json'), 'utf8')));
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const cwd = folderWith({ 'tiny.yaml': SCENARIO });
    const main = resolve('dist/cli/main.js');
    const child = spawn(process.execPath, [main, ...TINY, '--minutes', '2'], { cwd });
    const code = new Promise((done) => child.on('exit', done));
    setTimeout(() => child.kill('SIGINT'), 2000);
    expect(await code).toBe(130);
    expect(readdirSync(cwd)).toEqual(['tiny.yaml']);
  });
});

describe('splitpoint profile without a device', () => {
  it('converts what measure.py wrote, with the link as nvbandwidth measured it', () => {
    const testcase = (name: string, rate: string) => ({ name, status: 'Passed', bandwidth_matrix: [[rate]] });
    const testcases = [testcase('host_to_device_memcpy_ce', '50'), testcase('device_to_host_memcpy_ce', '40')];
    const cwd = folderWith({
      'measured.json': JSON.stringify(measureFile()),
      'link.json': JSON.stringify({ nvbandwidth: { testcases } }),
    });
    const convert = ['profile', '--from-measure', 'measured.json', '--out'];
    expect(splitpoint([...convert, 'plain.json'], { cwd }).code).toBe(0);
    expect(splitpoint([...convert, 'faster.json', '--from-nvbandwidth', 'link.json'], { cwd }).code).toBe(0);
    const fastest = (file: string) => {
      const { copies } = JSON.parse(readFileSync(join(cwd, file), 'utf8')) as Profile;
      return Math.max(...copies.map(({ bytes, seconds }) => bytes / seconds.median));
    };
    expect(fastest('plain.json')).toBeLessThan(26e9);
    expect(fastest('faster.json')).toBeGreaterThan(45e9);
  });

  it.each([
    ['no device', [], /missing --backend cpu or --backend cuda, or --from-measure/],
    [
      'what to measure where nothing is measured',
      ['--from-measure', 'x', '--minutes', '1'],
      /--minutes says how to measure/,
    ],
    [
      'a GPU’s link on the CPU',
      ['--backend', 'cpu', '--from-nvbandwidth', 'x'],
      /--from-nvbandwidth is of a GPU’s link/,
    ],
    [
      'no time',
      ['--backend', 'cpu', '--minutes', '0'],
      /--minutes: found "0", expected a number above 0 and up to 120/,
    ],
    ['words for a time', ['--backend', 'cpu', '--minutes', 'two'], /--minutes: found "two", expected a number above 0/],
    [
      'words for a number of threads',
      ['--backend', 'cpu', '--host-threads', 'abc'],
      /--host-threads: found "abc", expected a whole number from 1 to 1024/,
    ],
    ['two files to convert', ['--from-measure', 'a', '--from-measure', 'b'], /--from-measure is given more than once/],
    [
      'two files of a link',
      ['--backend', 'cuda', '--from-nvbandwidth', 'a', '--from-nvbandwidth', 'b'],
      /--from-nvbandwidth is given more than once/,
    ],
    [
      'two rates',
      ['--backend', 'cpu', '--link-rate', '1 GB/s', '--link-rate', '2 GB/s'],
      /--link-rate is given more than once/,
    ],
    ['a rate that is none', ['--backend', 'cpu', '--link-rate', 'fast'], /--link-rate: found "fast", expected a rate/],
    ['a scenario that is not there', ['--backend', 'cpu', '--for', 'x.yaml'], /x\.yaml: found no such file/],
    ['a file of measurements that is not there', ['--from-measure', 'x.json'], /x\.json: found no such file/],
  ])('refuses %s in one line', (_, args, message) => {
    const cwd = folderWith({});
    const { code, stdout, stderr } = splitpoint(['profile', '--out', 'here.json', ...args], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(existsSync(join(cwd, 'here.json'))).toBe(false);
  });

  it('looks at what nvbandwidth wrote before it asks for a device', () => {
    const cwd = folderWith({ 'link.json': '{ "nvbandwidth": { "testcases": [] } }' });
    const args = ['profile', '--backend', 'cuda', '--from-nvbandwidth', 'link.json', '--out', 'here.json'];
    const { code, stderr } = splitpoint(args, { cwd });
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('no testcase host_to_device') });
  });

  it('refuses an empty name before it measures', () => {
    const { code, stderr } = splitpoint(['profile', '--backend', 'cpu', '--out', '']);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('found an empty file name') });
  });

  it('refuses a scenario that cannot be executed', () => {
    const cwd = folderWith({ 'latent.yaml': SCENARIO.replace(/model: .*/, 'model: deepseek-v3') });
    const { code, stderr } = splitpoint(['profile', '--backend', 'cpu', '--for', 'latent.yaml', '--out', 'x'], { cwd });
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('latent attention') });
  });
});
