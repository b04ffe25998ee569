import type { Placement } from '../scenario/scenario.ts';
import { activation } from './activation.ts';
import { hostAttention } from './host-attention.ts';
import { kvprColumn } from './kvpr-column.ts';
import { kvprPipelined } from './kvpr-pipelined.ts';
import { kvprRow } from './kvpr-row.ts';
import type { ScheduleName } from './names.ts';
import { resident } from './resident.ts';
import type { Schedule } from './schedule.ts';
import { transfer } from './transfer.ts';
import { transferPrefetch } from './transfer-prefetch.ts';

const ALL: Record<ScheduleName, Schedule> = {
  resident,
  transfer,
  'transfer-prefetch': transferPrefetch,
  'kvpr-row': kvprRow,
  'kvpr-column': kvprColumn,
  'kvpr-pipelined': kvprPipelined,
  activation,
  'host-attention': hostAttention,
};

export function scheduleNamed(name: ScheduleName): Schedule {
  return ALL[name];
}

/** Why a schedule makes no sense under a placement, in words that follow "found kvpr-row, expected"; undefined where it does. */
export function whyNot(schedule: Schedule, placement: Placement): string | undefined {
  if (schedule.weights && schedule.weights !== placement.weights) {
    return `a schedule for weights on the ${placement.weights} (${schedule.name} needs placement.weights: ${schedule.weights})`;
  }
  if (placement.kv === 'gpu' && schedule.home !== 'resident') return 'resident, the one schedule for placement.kv: gpu';
  return undefined;
}
