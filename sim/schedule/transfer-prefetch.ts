import type { Schedule } from './schedule.ts';

/** The next layer's KV comes while this layer computes (FlexGen, Hugging Face's OffloadedCache). */
export const transferPrefetch: Schedule = {
  name: 'transfer-prefetch',
  summary: "the next layer's KV comes while this one computes",
  ways: ['resident'],
  home: 'transferred',
  recompute: 'none',
  prefetch: true,
};
