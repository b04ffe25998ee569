import { expect, it } from 'vitest';
import { runCandidate } from '../../exec/run.ts';
import { plan } from '../../sim/planner/plan.ts';
import type { ScheduleName } from '../../sim/schedule/names.ts';
import { IDEAL_MACHINE, scenarioOf } from '../sim/schedule/scenarios.ts';
import { MODELS } from './decodes.ts';
import { describeNative } from './native/available.ts';

const FP32 = { weights: 'fp32', kv: 'fp32', activations: 'fp32' };

function execute(schedule: ScheduleName, linkBytesPerSecond: number, signal?: AbortSignal) {
  const scenario = scenarioOf({
    model: MODELS.opt,
    machine: IDEAL_MACHINE,
    workload: { batch: 2, promptTokens: 64, generatedTokens: 3 },
    precision: FP32,
    schedules: [schedule],
  });
  const [candidate] = plan(scenario).candidates;
  const device = { backend: 'cpu', hostThreads: 1, linkBytesPerSecond } as const;
  return runCandidate(scenario, candidate, { device, steps: 3, warmUp: 1, repeats: 3, ...(signal && { signal }) });
}

/** Bytes of K and V that a step of `transfer` fetches: both, of three layers, two sequences, 32 wide, 4 bytes each. */
const bytesFetched = (context: number) => 2 * 3 * 2 * 32 * 4 * context;

describeNative('runs', () => {
  it('do not disturb each other in one process', async () => {
    const [slow, fast] = await Promise.all([execute('transfer', 2e6), execute('transfer', 2e7)]);
    for (const [{ report }, rate] of [
      [slow, 2e6],
      [fast, 2e7],
    ] as const) {
      // A step cannot be faster than its link, and neither run goes at the other's rate.
      const leastSeconds = bytesFetched(65) / rate;
      expect(report.measured.stepSeconds.median).toBeGreaterThan(0.97 * leastSeconds);
      expect(report.measured.stepSeconds.median).toBeLessThan(5 * leastSeconds);
      expect(report.groupSeconds['copy-kv']).toBeGreaterThan(0.97 * leastSeconds);
    }
  });

  it('end by themselves while another goes on', async () => {
    const abort = new AbortController();
    const ended = execute('transfer', 2e4, abort.signal);
    const other = execute('activation', 2e7);
    abort.abort();
    await expect(ended).rejects.toThrow();
    expect((await other).report.measured.stepSeconds.n).toBe(3);
  });

  it('report the figures of the executed steps', async () => {
    const { report, plan: executed, measured, predicted } = await execute('kvpr-pipelined', 2e7);
    expect(report.steps).toBe(3);
    expect(report.measured.eachStepSeconds).toHaveLength(3);
    expect(measured.endSeconds).toHaveLength(executed.count);
    expect(predicted.endSeconds).toHaveLength(executed.count);
    const busy = executed.stream.reduce(
      (sum, stream, i) => sum + (stream === 0 ? measured.endSeconds[i] - measured.startSeconds[i] : 0),
      0,
    );
    expect(report.utilisation.h2d).toBeCloseTo(busy / Math.max(...measured.endSeconds), 9);
    expect(report.enqueueSeconds).toBeGreaterThan(0);
  });
});
