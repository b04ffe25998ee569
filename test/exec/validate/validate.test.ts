import { expect, it } from 'vitest';
import { type ValidateOptions, validate } from '../../../exec/validate/validate.ts';
import { IDEAL_MACHINE, scenarioOf } from '../../sim/schedule/scenarios.ts';
import { MODELS } from '../decodes.ts';
import { describeNative } from '../native/available.ts';

const OPTIONS: ValidateOptions = {
  device: { backend: 'cpu', hostThreads: 1, linkBytesPerSecond: 5e6 },
  asWritten: true,
  splits: 3,
  steps: 2,
  warmUp: 1,
  repeats: 3,
  profileMinutes: 0.4,
};

const SCENARIO = {
  model: MODELS.llama,
  machine: IDEAL_MACHINE,
  workload: { batch: 2, promptTokens: 24, generatedTokens: 3 },
  precision: { weights: 'fp32', kv: 'fp32', activations: 'fp32' },
  schedules: ['transfer', 'kvpr-row'],
};

describeNative('validate', () => {
  it('runs each configuration as often as asked, in turns, with results that agree', async () => {
    const doing: [string, number, number][] = [];
    const { report } = await validate(scenarioOf(SCENARIO), {
      ...OPTIONS,
      onProgress: (...progress) => doing.push(progress),
    });
    const names = report.runs.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(['transfer', 'kvpr-row 0', 'kvpr-row 12', 'kvpr-row 24']));
    for (const { measuredSeconds } of report.runs) expect(measuredSeconds.n).toBe(3);
    const executions = 4 * names.length;
    expect(doing.map(([, done, of]) => [done, of])).toEqual(
      Array.from({ length: executions }, (_, i) => [i, executions]),
    );
    expect(report.agreement).toBeLessThan(1e-5);
  });

  it('compares the groups of operations of prediction and measurement', async () => {
    const { report, shown } = await validate(scenarioOf(SCENARIO), OPTIONS);
    for (const { groups, schedule } of report.runs) {
      expect(Object.keys(groups)).toEqual(expect.arrayContaining(['copy-kv', 'block', 'store']));
      expect('recompute' in groups).toBe(schedule === 'kvpr-row' && groups['copy-activation'] !== undefined);
      for (const { predictedSeconds, measuredSeconds, error } of Object.values(groups)) {
        expect(error).toBeCloseTo(Math.abs(predictedSeconds / measuredSeconds - 1), 9);
      }
    }
    expect(shown.predicted.endSeconds).toHaveLength(shown.plan.count);
    expect(shown.measured.endSeconds).toHaveLength(shown.plan.count);
  });

  it('has no regret where the planner finds that nothing fits', async () => {
    const scenario = scenarioOf(SCENARIO);
    const { gpu } = scenario.machine;
    const machine = { ...scenario.machine, gpu: { ...gpu, memoryBytes: 1024 } };
    const { report } = await validate({ ...scenario, machine }, OPTIONS);
    expect([report.chosen, report.regret]).toEqual([null, null]);
  });

  it('predicts from a profile that it measures itself where the machine is not measured', async () => {
    // A dozen sizes of copies would take long over a slow link.
    const device = { ...OPTIONS.device, linkBytesPerSecond: 2e9 };
    const { report } = await validate(scenarioOf(SCENARIO), { ...OPTIONS, device, asWritten: false });
    expect(report.machine).not.toBe('ideal');
    // The machine in the scenario would need a thousandth of this.
    for (const { groups } of report.runs) {
      expect(groups.block!.predictedSeconds).toBeGreaterThan(0.05 * groups.block!.measuredSeconds);
    }
  });

  it('is ended by its signal', async () => {
    const abort = new AbortController();
    const onProgress = () => abort.abort();
    await expect(validate(scenarioOf(SCENARIO), { ...OPTIONS, onProgress, signal: abort.signal })).rejects.toThrow();
  });

  it('refuses what does not fit before it measures a profile', async () => {
    const workload = { batch: 60000, promptTokens: 100_000, generatedTokens: 2 };
    const doing: string[] = [];
    await expect(
      validate(scenarioOf({ ...SCENARIO, workload, schedules: ['transfer'] }), {
        ...OPTIONS,
        asWritten: false,
        onProgress: (what) => doing.push(what),
      }),
    ).rejects.toMatchObject({ code: 'MEMORY' });
    expect(doing).toEqual([]);
  });
});
