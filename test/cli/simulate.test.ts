import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { PlanResult } from '../../sim/planner/result.ts';
import type { Total } from '../../sim/planner/simulate.ts';
import { folderWith, SMALL, splitpoint } from './splitpoint.ts';

interface SimulateResult extends PlanResult {
  simulation: {
    schedule: string;
    steps: number;
    totals: { kind: Record<string, Total>; group: Record<string, Total> } | null;
  };
}

describe('splitpoint simulate', () => {
  it('adds totals by kind and group to what plan says', () => {
    const { code, stdout, stderr } = splitpoint(['simulate', '-', '--json', '--schedule', 'kvpr-row'], {
      input: SMALL,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { simulation, ...result } = JSON.parse(stdout) as SimulateResult;
    expect(result).toEqual(
      JSON.parse(splitpoint(['plan', '-', '--json', '--schedule', 'kvpr-row'], { input: SMALL }).stdout),
    );
    expect(simulation).toMatchObject({ schedule: 'kvpr-row', steps: 2 });
    const { kind, group } = simulation.totals!;
    const linkBytes = (group['copy-kv']?.bytes ?? 0) + (group['copy-activation']?.bytes ?? 0);
    expect(linkBytes).toBeGreaterThan(0);
    expect(kind['copy-h2d'].bytes).toBe(linkBytes);
    expect(kind['copy-d2h'].bytes).toBe(group.store.bytes);
  });

  it('simulates the best schedule where none is named', () => {
    const { simulation, recommendation } = JSON.parse(
      splitpoint(['simulate', '-', '--json'], { input: SMALL }).stdout,
    ) as SimulateResult;
    expect(simulation.schedule).toBe(recommendation?.schedule);
  });

  it('prints the totals of every group for people', () => {
    const { stdout } = splitpoint(['simulate', '-', '--schedule', 'transfer'], { input: SMALL });
    expect(stdout).toMatch(/^transfer: 64 transferred; [\d.]+ \S+ a step, /m);
    expect(stdout).not.toContain('over bound');
    for (const group of ['copy-kv', 'block', 'store']) expect(stdout).toMatch(new RegExp(`^${group} +\\d+ `, 'm'));
  });

  it('writes a trace and a picture', () => {
    const cwd = folderWith({ 's.yaml': SMALL });
    const args = ['simulate', '--schedule', 'kvpr-row', '--trace', 't.json', '--plot', 'g.svg', 's.yaml'];
    expect(splitpoint(args, { cwd }).code).toBe(0);
    const { traceEvents } = JSON.parse(readFileSync(`${cwd}/t.json`, 'utf8')) as { traceEvents: unknown[] };
    expect(traceEvents.length).toBeGreaterThan(100);
    expect(readFileSync(`${cwd}/g.svg`, 'utf8')).toMatch(/kvpr-row: the first step takes [\d.]+ (ms|µs)/);
  });

  it('writes nothing where nothing fits, and says so', () => {
    const cwd = folderWith({ 's.yaml': SMALL });
    const args = ['simulate', 's.yaml', '--set', 'machine.gpu.memory=100 MB', '--trace', 't.json', '--json'];
    const { code, stdout, stderr } = splitpoint(args, { cwd });
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as SimulateResult).simulation.totals).toBeNull();
    expect(stderr).toMatch(/no trace/);
    expect(existsSync(`${cwd}/t.json`)).toBe(false);
  });
});
