import type { Schedule } from './schedule.ts';

/** The host attends to all cached tokens; only queries and partial results cross the link (FastDecode, NEO). */
export const hostAttention: Schedule = {
  name: 'host-attention',
  summary: 'the host attends to the cache; only queries and results cross the link',
  ways: ['resident'],
  home: 'hostAttended',
  recompute: 'none',
  prefetch: true,
};
