import type { Schedule } from './schedule.ts';

/** Fetch a layer's KV, then compute the layer, in series. */
export const transfer: Schedule = {
  name: 'transfer',
  summary: "fetch the layer's KV, then compute, in series",
  ways: ['resident'],
  home: 'transferred',
  recompute: 'none',
  prefetch: false,
};
