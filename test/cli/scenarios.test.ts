import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadScenario } from '../../cli/scenario-arguments.ts';
import { plan } from '../../sim/planner/plan.ts';

/** What each shipped scenario is there to show. */
const VERDICTS: Record<string, string | null> = {
  'does-not-fit.yaml': null,
  'gh200.yaml': 'recompute',
  'grouped-query.yaml': 'do-not-recompute',
  'paper-latency.yaml': 'recompute',
  'paper-throughput.yaml': 'recompute',
  'rtx-4090.yaml': 'do-not-recompute',
};

describe('the scenarios that ship', () => {
  it('are the ones whose answers are known here', () => {
    const files = readdirSync('scenarios').filter((file) => file.endsWith('.yaml'));
    expect(files.sort()).toEqual(Object.keys(VERDICTS).sort());
  });

  for (const [file, verdict] of Object.entries(VERDICTS)) {
    it(`${file} answers ${verdict ?? 'that nothing fits, and by how much'}`, () => {
      const { candidates, recommendation } = plan(loadScenario({ scenario: `scenarios/${file}` }));
      expect(recommendation?.verdict ?? null).toBe(verdict);
      for (const { feasible, infeasibleBecause } of candidates) {
        if (!feasible) expect(infeasibleBecause).toMatch(/memory is [\d.]+ .iB short \(\d+ bytes;/);
      }
    });
  }

  it('show a grouped-query model whose activations outweigh the KV they replace', () => {
    const { recommendation } = plan(loadScenario({ scenario: 'scenarios/grouped-query.yaml' }));
    expect(recommendation?.because).toMatch(/8 KiB.*4 KiB/);
  });
});
