/** The policies that turn a shape, a workload and a split into a plan. */
export const SCHEDULES = [
  'resident',
  'transfer',
  'transfer-prefetch',
  'kvpr-row',
  'kvpr-column',
  'kvpr-pipelined',
  'activation',
  'host-attention',
] as const;
export type ScheduleName = (typeof SCHEDULES)[number];
