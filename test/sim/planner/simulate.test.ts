import { describe, expect, it } from 'vitest';
import { Kind, Stream } from '../../../sim/plan/plan.ts';
import { plan } from '../../../sim/planner/plan.ts';
import { type Simulation, simulateSchedule, type Total } from '../../../sim/planner/simulate.ts';
import { SCHEDULES } from '../../../sim/schedule/names.ts';
import { REAL_MACHINE, SMALL_MODEL, scenarioOf } from '../schedule/scenarios.ts';

const WORKLOAD = { batch: 8, promptTokens: 100, generatedTokens: 5, microBatches: 2 };
const scenarioFor = (name: string, more: object = {}) =>
  scenarioOf({
    model: SMALL_MODEL,
    machine: REAL_MACHINE,
    workload: WORKLOAD,
    placement: { weights: name === 'kvpr-column' ? 'host' : 'gpu' },
    ...more,
  });

function sumOf(totals: Partial<Record<string, Total>>): Total {
  return Object.values(totals as Record<string, Total>).reduce((sum, total) => ({
    operations: sum.operations + total.operations,
    seconds: sum.seconds + total.seconds,
    flops: sum.flops + total.flops,
    bytes: sum.bytes + total.bytes,
  }));
}

const busySeconds = ({ timeline }: Simulation) =>
  timeline.endSeconds.reduce((sum, end, i) => sum + end - timeline.startSeconds[i], 0);

describe('a simulated schedule', () => {
  for (const name of SCHEDULES) {
    it(`has totals that add up by kind and by group to every operation of ${name}`, () => {
      const simulation = simulateSchedule(scenarioFor(name), name);
      const byKind = sumOf(simulation.totals.kind);
      const byGroup = sumOf(simulation.totals.group);
      expect(byKind.operations).toBe(simulation.plan.count);
      expect(byGroup.operations).toBe(simulation.plan.count);
      expect(byKind.bytes / byGroup.bytes).toBeCloseTo(1, 12);
      expect(byKind.flops / byGroup.flops).toBeCloseTo(1, 12);
      expect(byKind.seconds / busySeconds(simulation)).toBeCloseTo(1, 9);
      expect(byGroup.seconds / busySeconds(simulation)).toBeCloseTo(1, 9);
    });

    it(`moves the bytes and takes the time that the candidate of ${name} says`, () => {
      const { candidate, totals, timeline, plan: operations } = simulateSchedule(scenarioFor(name), name);
      const { generatedTokens } = WORKLOAD;
      expect(candidate.schedule).toBe(name);
      expect(totals.kind['copy-h2d']?.bytes ?? 0).toBeCloseTo(candidate.bytesPerStep.h2d * generatedTokens, 3);
      expect(totals.kind['copy-d2h']?.bytes ?? 0).toBeCloseTo(candidate.bytesPerStep.d2h * generatedTokens, 3);
      const ends = [...timeline.endSeconds].filter(
        (_, i) => operations.works.kind[operations.work[i]] === Kind.stepEnd,
      );
      expect(ends).toHaveLength(generatedTokens);
      expect(ends.at(-1)).toBeCloseTo(candidate.decodeSeconds, 12);
    });
  }

  it('is the recommended one unless one is named', () => {
    const scenario = scenarioFor('kvpr-row');
    const { candidate } = simulateSchedule(scenario);
    expect(candidate.schedule).toBe(plan(scenario).recommendation?.schedule);
    expect(simulateSchedule(scenario, 'activation').candidate.schedule).toBe('activation');
  });

  it('is the fastest one where none fits', () => {
    const tiny = { ...REAL_MACHINE, gpu: { ...REAL_MACHINE.gpu, memory: '1 KiB' } };
    const { candidate } = simulateSchedule(scenarioFor('kvpr-row', { machine: tiny }));
    expect(candidate.feasible).toBe(false);
    expect(candidate.infeasibleBecause).toMatch(/^GPU memory is [\d.]+ .?i?B short/);
  });

  it('can be the first steps alone, which are those of the whole decode but for what later steps ask of them', () => {
    const all = simulateSchedule(scenarioFor('transfer'), 'transfer');
    const two = simulateSchedule(scenarioFor('transfer'), 'transfer', 2);
    expect(two.plan.steps).toBe(2);
    expect(two.plan.count * WORKLOAD.generatedTokens).toBe(all.plan.count * 2);
    // In series nothing of the third step runs during the second.
    const kernels = two.plan.stream.reduce((last, stream, i) => (stream === Stream.compute ? i : last), 0);
    expect(two.timeline.endSeconds[kernels]).toBeCloseTo(all.timeline.endSeconds[kernels], 12);
  });

  it('never holds more memory than the candidate says', () => {
    for (const name of ['transfer-prefetch', 'kvpr-pipelined'] as const) {
      const { candidate, memory } = simulateSchedule(scenarioFor(name), name);
      expect(Math.max(...memory.gpu.bytes)).toBe(candidate.peakBytes.gpu);
      expect(Math.max(...memory.host.bytes)).toBe(candidate.peakBytes.host);
    }
  });
});
