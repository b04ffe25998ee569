import { scenarioFromDocument } from '../../../sim/scenario/parse.ts';
import type { Scenario } from '../../../sim/scenario/scenario.ts';

/** The document of a scenario that executes in a moment. */
export const TINY = {
  name: 'tiny',
  model: { layers: 2, hidden: 64, heads: 4, kvHeads: 2, ffn: 96, gated: true, vocab: 50 },
  machine: 'a100-pcie-40gb' as unknown,
  workload: { batch: 2, promptTokens: 40, generatedTokens: 9 },
  precision: { weights: 'fp32', kv: 'fp32', activations: 'fp32' },
};

export function tinyScenario(changes: object = {}): Scenario {
  return scenarioFromDocument({ ...TINY, ...changes });
}
