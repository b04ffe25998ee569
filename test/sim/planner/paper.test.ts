import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { comparePaper } from '../../../sim/planner/paper.ts';
import { plan } from '../../../sim/planner/plan.ts';
import { parseScenario } from '../../../sim/scenario/parse.ts';

const FOLDER = fileURLToPath(new URL('../../../scenarios', import.meta.url));

function shipped(name: string) {
  const file = resolve(FOLDER, name);
  return parseScenario(readFileSync(file, 'utf8'), {
    readModelConfig: (path) => JSON.parse(readFileSync(resolve(dirname(file), path), 'utf8')),
  });
}

const latency = shipped('paper-latency.yaml');
const throughput = shipped('paper-throughput.yaml');
const [row, column] = comparePaper(latency, throughput);

describe("the paper's gains beside the predicted ones", () => {
  it('predict a shorter decode for kvpr-row than for both baselines', () => {
    expect(row).toMatchObject({ schedule: 'kvpr-row', reportedChange: -0.358 });
    expect(row.predictions.map(({ against }) => against)).toEqual(['transfer', 'transfer-prefetch']);
    for (const { change, promptTokens, generatedTokens } of row.predictions) {
      expect([promptTokens, generatedTokens]).toEqual([128, 128]);
      expect(change).toBeGreaterThan(-1);
      expect(change).toBeLessThan(0);
    }
  });

  it('predict more tokens a second for kvpr-column than for both baselines, the more the longer the prompt', () => {
    expect(column).toMatchObject({ schedule: 'kvpr-column', reportedChange: 0.462 });
    const against = (baseline: string) => column.predictions.filter((prediction) => prediction.against === baseline);
    for (const baseline of ['transfer-prefetch', 'transfer']) {
      const changes = against(baseline).map(({ change }) => change);
      expect(against(baseline).map(({ promptTokens }) => promptTokens)).toEqual([256, 512, 1024]);
      expect(changes[0]).toBeGreaterThan(0);
      expect(changes).toEqual([...changes].sort((a, b) => a - b));
      expect(changes.every(Number.isFinite)).toBe(true);
    }
  });

  it('come within 15 percentage points of the reported ones against the nearest baseline', () => {
    for (const { reportedChange, predictions } of [row, column]) {
      expect(Math.abs(predictions[0].change - reportedChange)).toBeLessThan(0.15);
    }
  });

  it('are the ratios of what the plan says', () => {
    const { candidates } = plan(latency);
    const seconds = (name: string) => candidates.find(({ schedule }) => schedule === name)!.decodeSeconds;
    expect(row.predictions[1].change).toBeCloseTo(seconds('kvpr-row') / seconds('transfer-prefetch') - 1, 12);
  });

  it('state what they assume and how they differ', () => {
    for (const { assumptions, difference } of [row, column]) {
      expect(assumptions.length).toBeGreaterThan(3);
      expect(difference).not.toBe('');
    }
  });
});
