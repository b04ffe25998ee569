import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeNative } from '../exec/native/available.ts';
import { allFinite, onTiny, PACED, tinyFolder } from './executions.ts';
import { splitpoint } from './splitpoint.ts';

/** A trace's events, of the fields that matter here. */
interface Event {
  ph: string;
  name: string;
  pid: number;
  dur?: number;
  args: { name?: string };
}

describeNative('splitpoint run', () => {
  it('prints what was asked, predicted and measured as one JSON document of finite numbers', () => {
    const { code, stdout, stderr } = onTiny('run', [...PACED, '--schedule', 'kvpr-row', '--repeats', '3', '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout);
    expect(allFinite(report)).toBe(true);
    expect(Object.keys(report)).toEqual([
      'backend',
      'device',
      'scenario',
      'schedule',
      'split',
      'steps',
      'predicted',
      'measured',
      'utilisation',
      'groupSeconds',
      'enqueueSeconds',
      'gates',
    ]);
    expect(report).toMatchObject({ backend: 'cpu', scenario: 'tiny', schedule: 'kvpr-row', steps: 3 });
    expect(report.predicted.machine).toBe('about a core');
    const tokens = Object.values(report.split as Record<string, number>).reduce((sum, each) => sum + each, 0);
    expect(tokens).toBe(32);
    const { stepSeconds, tokensPerSecond, eachStepSeconds } = report.measured;
    expect(stepSeconds.n).toBe(3);
    expect(stepSeconds.p05).toBeLessThanOrEqual(stepSeconds.median);
    expect(stepSeconds.median).toBeLessThanOrEqual(stepSeconds.p95);
    expect(tokensPerSecond).toBeCloseTo(2 / stepSeconds.median, 6);
    const meanStep = eachStepSeconds.reduce((sum: number, each: number) => sum + each, 0) / 3;
    expect(meanStep).toBeCloseTo(stepSeconds.median, 9);
    expect(Object.keys(report.utilisation)).toEqual(['h2d', 'd2h', 'compute', 'host']);
    for (const share of Object.values(report.utilisation)) expect(share).toBeLessThanOrEqual(1);
    expect(report.utilisation.h2d).toBeGreaterThan(0);
    for (const group of ['copy-activation', 'recompute', 'block', 'store']) {
      expect(report.groupSeconds[group]).toBeGreaterThan(0);
    }
  });

  it('executes the steps that the scenario has, and no more than are asked for', () => {
    const steps = (...args: string[]) =>
      JSON.parse(onTiny('run', [...PACED, '--repeats', '1', '--json', ...args]).stdout).steps;
    expect(steps('--steps', '2')).toBe(2);
    expect(steps('--steps', '50')).toBe(3);
  });

  it('says in words what it measured', () => {
    const { code, stdout } = onTiny('run', [...PACED, '--schedule', 'transfer', '--repeats', '2']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^transfer: .*; 3 steps$/m);
    expect(stdout).toMatch(/^measured +\S+ [µm]?s a step \(.* 2 repeats\), \S+ tokens\/s$/m);
    expect(stdout).toMatch(/^copy-kv +[\d.]+$/m);
  });

  it('writes one trace with prediction and measurement, of the same operations, and a picture', () => {
    const folder = tinyFolder();
    const files = ['--trace', 'run.trace.json', '--plot', 'run.svg', '--plot', 'run.png'];
    const { code } = splitpoint(['run', 'tiny.json', ...PACED, '--schedule', 'transfer', '--repeats', '1', ...files], {
      cwd: folder,
    });
    expect(code).toBe(0);
    const trace = JSON.parse(readFileSync(join(folder, 'run.trace.json'), 'utf8'));
    const events = (trace.traceEvents ?? trace) as Event[];
    const processes = events.filter(({ name }) => name === 'process_name');
    expect(processes.map(({ args }) => args.name)).toEqual([
      expect.stringMatching(/^predicted: about a core$/),
      expect.stringMatching(/^measured: ./),
    ]);
    const [predicted, measured] = processes.map(({ pid }) =>
      events.filter((event) => event.ph === 'X' && event.pid === pid).map(({ name }) => name),
    );
    expect(measured.length).toBeGreaterThan(20);
    expect([...measured].sort()).toEqual([...predicted].sort());
    expect(readFileSync(join(folder, 'run.svg'), 'utf8')).toContain('transfer: a step took');
    expect(readFileSync(join(folder, 'run.png')).subarray(1, 4).toString('latin1')).toBe('PNG');
    expect(readdirSync(folder).sort()).toEqual(['run.png', 'run.svg', 'run.trace.json', 'tiny.json']);
  });

  it('takes an infinite link rate as a link that is not paced', () => {
    expect(onTiny('run', ['--backend', 'cpu', '--link-rate', 'inf', '--repeats', '1', '--json']).code).toBe(0);
  });
});
