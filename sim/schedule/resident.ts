import type { Schedule } from './schedule.ts';

/** All KV on the GPU: nothing crosses the link. The ideal that the others are measured against. */
export const resident: Schedule = {
  name: 'resident',
  summary: 'all KV stays in GPU memory',
  ways: [],
  home: 'resident',
  recompute: 'none',
  prefetch: true,
};
