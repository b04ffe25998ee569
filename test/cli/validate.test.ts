import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { native } from '../../exec/native.ts';
import type { ValidatedRun, ValidationReport } from '../../exec/validate/report.ts';
import { describeNative } from '../exec/native/available.ts';
import { smallProfile } from '../sim/profile/profiles.ts';
import { allFinite, onTiny, PACED, tinyFolder } from './executions.ts';
import { splitpoint } from './splitpoint.ts';

const FP16 = { weights: 'fp16', kv: 'fp16', activations: 'fp16' };
const QUICK = [...PACED, '--as-written', '--repeats', '2'];

function validated(args: string[]): ValidationReport {
  const { code, stdout } = onTiny('validate', [...QUICK, '--json', ...args]);
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

describeNative('splitpoint validate', () => {
  it('prints predictions, measurements and errors as one JSON document of finite numbers', () => {
    const report = validated([]);
    expect(allFinite(report)).toBe(true);
    expect(Object.keys(report)).toEqual([
      'backend',
      'device',
      'scenario',
      'machine',
      'steps',
      'linkBytesPerSecond',
      'runs',
      'stepError',
      'operationError',
      'regret',
      'chosen',
      'bestMeasured',
      'agreement',
    ]);
    expect(report).toMatchObject({ backend: 'cpu', machine: 'about a core', steps: 2, linkBytesPerSecond: 1e8 });
    for (const run of report.runs) {
      expect(Object.keys(run)).toEqual([
        'name',
        'schedule',
        'split',
        'predictedSeconds',
        'measuredSeconds',
        'error',
        'groups',
        'enqueueSeconds',
        'gates',
      ]);
      expect(Object.keys(run.measuredSeconds)).toEqual(['median', 'p05', 'p95', 'n']);
      expect(run.measuredSeconds.n).toBe(2);
      expect(Object.keys(run.split)).toEqual(['resident', 'recomputed', 'transferred', 'hostAttended']);
      expect(run.error).toBeCloseTo(Math.abs(run.predictedSeconds / run.measuredSeconds.median - 1), 9);
    }
    expect(Object.keys(report.stepError)).toEqual(['median', 'p95', 'mape', 'bias']);
    const errors = report.runs.map(({ error }) => error);
    expect(report.stepError.mape).toBeCloseTo(errors.reduce((sum, error) => sum + error, 0) / errors.length, 9);
    expect(report.stepError.median).toBeLessThanOrEqual(report.stepError.p95);
    expect(Object.keys(report.operationError)).toEqual(
      expect.arrayContaining(['copy-activation', 'copy-kv', 'recompute', 'block', 'store', 'host-attention']),
    );
    for (const error of Object.values(report.operationError)) expect(Object.keys(error)).toEqual(['median', 'p95']);
    expect(report.agreement).toBeLessThan(1e-4);
  });

  it('takes every schedule that applies, nine splits of each that has one, and the choice of the planner', () => {
    const { runs, chosen, bestMeasured, regret } = validated([]);
    const splits = (schedule: string) =>
      new Set(runs.filter((run) => run.schedule === schedule).map(({ split }) => split.recomputed));
    for (const schedule of ['kvpr-row', 'kvpr-pipelined']) {
      expect(splits(schedule).size).toBeGreaterThanOrEqual(9);
      expect([...splits(schedule)]).toEqual(expect.arrayContaining([0, 16, 32]));
    }
    for (const schedule of ['resident', 'transfer', 'transfer-prefetch', 'activation', 'host-attention']) {
      expect(splits(schedule).size).toBe(1);
    }
    const named = (name: string) => runs.filter((run) => run.name === name) as [ValidatedRun];
    expect([named(chosen!).length, named(bestMeasured).length]).toEqual([1, 1]);
    const least = Math.min(...runs.map(({ measuredSeconds }) => measuredSeconds.median));
    expect(named(bestMeasured)[0].measuredSeconds.median).toBe(least);
    expect(regret).toBeCloseTo(named(chosen!)[0].measuredSeconds.median / least - 1, 9);
    expect(regret).toBeGreaterThanOrEqual(0);
  });

  it('predicts from the profile that the scenario names, and measures none then', () => {
    const folder = tinyFolder({ schedules: ['transfer'], precision: FP16, machine: 'profile.json' });
    writeFileSync(join(folder, 'profile.json'), JSON.stringify(smallProfile()));
    const { stdout, stderr } = splitpoint(['validate', 'tiny.json', ...PACED, '--repeats', '2', '--json'], {
      cwd: folder,
    });
    expect(stderr).toBe('');
    const report = JSON.parse(stdout) as ValidationReport;
    expect(report.machine).toContain('a small device');
    // Its link is ten times as fast as the paced one.
    const copies = report.runs[0].groups['copy-kv']!;
    expect(copies.predictedSeconds).toBeLessThan(copies.measuredSeconds / 5);
  });

  it('exits with 1, and says why, where a prediction is not as good as asked for', () => {
    const args = [...QUICK, '--schedule', 'transfer,kvpr-row', '--splits', '3', '--json'];
    const short = onTiny('validate', [...args, '--max-median-error', '0%']);
    expect(short.code).toBe(1);
    expect(short.stderr).toMatch(/^The median error of steps is [\d.]+ %, expected at most 0\.0 %\.$/m);
    expect(JSON.parse(short.stdout).runs.length).toBeGreaterThanOrEqual(4);
    expect(onTiny('validate', [...args, '--max-median-error', '1000000%', '--max-regret', '1000000%']).code).toBe(0);
  });

  it('exits with 1 where the planner’s choice is not the best measured', () => {
    // Told that its link is slow, the planner recomputes everything; the link that is measured is not.
    const folder = tinyFolder({
      schedules: ['kvpr-row'],
      machine: {
        name: 'a link that is slow on paper',
        gpu: { memory: '4 GiB', matmul: '100 TFLOP/s', memoryBandwidth: '10 TB/s' },
        host: { memory: '8 GiB', memoryBandwidth: '10 TB/s', matmul: '20 GFLOP/s' },
        link: { h2d: '1 MB/s' },
      },
      model: { layers: 2, hidden: 512, heads: 4, kvHeads: 4, headDim: 16, ffn: 128, gated: false, vocab: 64 },
      split: { recomputed: '100%' },
    });
    const args = ['--backend', 'cpu', '--as-written', '--repeats', '2', '--splits', '2', '--max-regret', '0.1%'];
    const { code, stderr, stdout } = splitpoint(['validate', 'tiny.json', ...args, '--json'], { cwd: folder });
    expect(JSON.parse(stdout)).toMatchObject({ chosen: 'kvpr-row 32', bestMeasured: 'kvpr-row 0' });
    expect(stderr).toMatch(/^The regret is [\d.]+ %, expected at most 0\.1 %\.$/m);
    expect(code).toBe(1);
  });

  it('draws curves and errors, and writes one trace with both timelines', () => {
    const folder = tinyFolder({ name: '<b>tiny</b>', schedules: ['transfer', 'kvpr-row'] });
    const files = ['--plot', 'v.html', '--plot', 'v.png', '--plot-errors', 'e.svg', '--trace', 't.json'];
    const { code } = splitpoint(['validate', 'tiny.json', ...QUICK, '--splits', '3', ...files], { cwd: folder });
    expect(code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['e.svg', 't.json', 'tiny.json', 'v.html', 'v.png']);
    const text = (name: string) => readFileSync(join(folder, name), 'utf8');
    expect(text('v.html')).toMatch(/>The choice, [^<]*of \d measured</);
    expect(text('v.html')).not.toContain('<b>tiny');
    expect(text('e.svg')).toMatch(/>Half of \d predictions are within /);
    expect(text('e.svg')).toContain('&lt;b&gt;tiny');
    expect(text('t.json').match(/"process_name"/g)).toHaveLength(2);
  });

  it('ends soon when interrupted, whatever it is doing, and leaves no file behind', async () => {
    for (const [delayMs, args] of [
      // While a profile is measured.
      [2500, [...PACED]],
      // While buffers are filled over a link that takes half a minute.
      [1500, ['--backend', 'cpu', '--link-rate', '1 kB/s', '--as-written']],
    ] as const) {
      const folder = tinyFolder();
      const command = [
        resolve('dist/cli/main.js'),
        'validate',
        'tiny.json',
        ...args,
        '--plot',
        'v.png',
        '--trace',
        't',
      ];
      const child = spawn(process.execPath, command, { cwd: folder });
      let stderr = '';
      child.stderr.on('data', (data) => {
        stderr += data;
      });
      const exit = new Promise<number | null>((done) => child.on('exit', done));
      await setTimeout(delayMs);
      child.kill('SIGINT');
      const code = await Promise.race([exit, setTimeout(10_000, 'still running', { ref: false })]);
      child.kill('SIGKILL');
      expect(code).toBe(130);
      expect(stderr).toMatch(/splitpoint: interrupted\n$/);
      expect(readdirSync(folder)).toEqual(['tiny.json']);
    }
  });
});

describeNative('executing what cannot be executed', () => {
  const moe = { experts: 4, active: 2, expertFfn: 64, sharedExperts: 0, denseLayers: 0 };
  const precisions = (kv: string) => ['--set', `precision.kv=${kv}`];
  it.each<[string, string[], RegExp]>([
    ['latent attention', ['--model', 'deepseek-v3', ...PACED], /deepseek-v3 has latent attention/],
    ['routed experts', ['--set', `model.moe=${JSON.stringify(moe)}`, ...PACED], /has routed experts/],
    ['mixed precision', [...precisions('fp16'), ...PACED], /all fp32, all fp16 or all bf16, found fp32, fp16 and fp32/],
    ['no backend', [], /backend/],
    ['an unknown backend', ['--backend', 'tpu'], /"tpu".*"cpu", "cuda"/],
    ['two backends', ['--backend', 'cpu', '--backend', 'cuda'], /--backend is given more than once/],
    ['a paced GPU', ['--backend', 'cuda', '--link-rate', '1 GB/s'], /--link-rate paces the CPU backend/],
    [
      'a size as rate',
      ['--backend', 'cpu', '--link-rate', '2 GiB'],
      /--link-rate: found "2 GiB", a size, expected a rate/,
    ],
    ['no rate at all', ['--backend', 'cpu', '--link-rate', '0 GB/s'], /--link-rate: found "0 GB\/s"/],
    ['no threads', [...PACED, '--host-threads', '0'], /--host-threads: found "0", expected a whole number from 1/],
    ['no steps', [...PACED, '--steps', '0'], /--steps: found "0", expected a whole number from 1/],
    ['half a repeat', [...PACED, '--repeats', '0.5'], /--repeats: found "0\.5"/],
    ['an unwritable trace', [...PACED, '--trace', 'no/such/folder'], /no\/such\/folder: found no such folder/],
    ['an unknown picture', [...PACED, '--plot', 'v.gif'], /v\.gif: found the ending \.gif/],
    ['an unknown schedule', [...PACED, '--schedule', 'kvpr-rwo'], /found "kvpr-rwo".*nearest: kvpr-row/],
    [
      'a schedule of other weights',
      [...PACED, '--schedule', 'kvpr-column'],
      /tiny\.json|command line: .*placement\.weights: host/,
    ],
    [
      'more than all memory',
      [...PACED, '--schedule', 'transfer', '--batch', '60000', '--set', 'workload.promptTokens=100000'],
      /out of (gpu|pinned host|host) memory: .*GiB are available, \d+(\.\d+)? GiB short/i,
    ],
  ])('is refused in one line with exit code 2: %s', (_, args, message) => {
    for (const command of ['run', 'validate']) {
      const { code, stdout, stderr } = onTiny(command, args);
      const lines = stderr.split('\n').filter((line) => line.startsWith('splitpoint: '));
      expect({ code, stdout, count: lines.length }).toEqual({ code: 2, stdout: '', count: 1 });
      expect(lines[0]).toMatch(message);
    }
  });

  it.each(['5x', '-5%', 'inf', ''])('refuses %j as a largest error', (share) => {
    const { code, stderr } = onTiny('validate', [...PACED, `--max-median-error=${share}`]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--max-median-error: found') });
  });

  it('says what a GPU needs where there is none', (context) => {
    const probed = native().probe('cuda');
    if ('info' in probed) return context.skip('there is a GPU');
    expect(probed.missing).toMatch(/nvcc|driver|GPU|cuBLAS/);
    for (const command of ['run', 'validate']) {
      const { code, stderr } = onTiny(command, ['--backend', 'cuda']);
      expect({ code, stderr }).toEqual({ code: 2, stderr: `splitpoint: ${probed.missing.replace(/\s+/g, ' ')}\n` });
    }
  });
});
