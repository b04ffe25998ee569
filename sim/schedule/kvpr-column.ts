import type { Schedule } from './schedule.ts';

/** KVPR's throughput schedule (section 3.3): offloaded weights, W_K and W_V first, micro-batches share one load of a layer. */
export const kvprColumn: Schedule = {
  name: 'kvpr-column',
  summary: "offloaded weights shared by micro-batches, W_K and W_V first (the paper's throughput schedule)",
  ways: ['resident', 'recomputed'],
  home: 'transferred',
  recompute: 'prompt',
  prefetch: true,
  weights: 'host',
};
