import { describe, expect, it } from 'vitest';
import { InputError, plan, SCHEDULES, simulate } from '../../sim/index.ts';

const DOCUMENT = {
  model: 'opt-1.3b',
  machine: 'rtx-4090',
  workload: { batch: 16, promptTokens: 256, generatedTokens: 4 },
};

describe('the TypeScript API', () => {
  it('plans a scenario given as data', () => {
    const result = plan(DOCUMENT);
    expect(result).toMatchObject({ scenario: 'opt-1.3b on rtx-4090', contextTokens: 256 });
    expect(result.recommendation?.schedule).toBe(result.candidates[0].schedule);
    expect(result.candidates.map(({ schedule }) => schedule).sort()).toEqual(
      SCHEDULES.filter((name) => name !== 'kvpr-column').sort(),
    );
  });

  it('takes changes to the scenario as the commands do', () => {
    const result = plan(DOCUMENT, { sets: ['workload.batch=2', 'schedules=[transfer]'] });
    expect(result.workload.batch).toBe(2);
    expect(result.candidates.map(({ schedule }) => schedule)).toEqual(['transfer']);
  });

  it('simulates the recommended schedule, or the one asked for, operation by operation', () => {
    const recommended = simulate(DOCUMENT);
    expect(recommended.candidate).toEqual(plan(DOCUMENT).candidates[0]);
    const asked = simulate(DOCUMENT, { schedule: 'kvpr-row', sets: ['workload.generatedTokens=2'] });
    expect(asked.candidate.schedule).toBe('kvpr-row');
    expect(asked.plan.steps).toBe(2);
    expect(asked.timeline.endSeconds).toHaveLength(asked.plan.count);
    expect(asked.totals.group.recompute?.operations).toBeGreaterThan(0);
  });

  it('refuses what means nothing, with the place and the nearest name', () => {
    expect(() => plan({ ...DOCUMENT, model: 'opt-1.4b' })).toThrow(InputError);
    expect(() => plan({ ...DOCUMENT, model: 'opt-1.4b' })).toThrow(/opt-1\.3b/);
    expect(() => simulate({ ...DOCUMENT, workload: { batch: 0 } })).toThrow(InputError);
    expect(() => simulate(DOCUMENT, { schedule: 'kvpr-column' })).toThrow(InputError);
    expect(() => plan(undefined)).toThrow(InputError);
  });
});
