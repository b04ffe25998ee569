import type { Schedule } from './schedule.ts';

/** Only activations are kept and fetched; all KV is recomputed (HCache's idea applied to decoding). */
export const activation: Schedule = {
  name: 'activation',
  summary: 'all activations and no KV cross the link, prefetched',
  ways: ['resident'],
  home: 'recomputed',
  recompute: 'none',
  prefetch: true,
};
