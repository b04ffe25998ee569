import type { Scenario } from '../scenario/scenario.ts';
import type { DecodeRequest } from '../schedule/decode-request.ts';
import type { Schedule } from '../schedule/schedule.ts';
import type { Steps } from '../schedule/token-ranges.ts';

/** What a scenario's decode under a schedule asks of the plan builder. */
export function decodeRequest(scenario: Scenario, schedule: Schedule, { contexts, splits }: Steps): DecodeRequest {
  const { model, workload, precision, placement } = scenario;
  return {
    shape: model,
    schedule,
    batch: workload.batch,
    microBatches: workload.microBatches,
    precision,
    placement,
    replans: scenario.split === 'auto',
    contexts,
    splits,
  };
}
