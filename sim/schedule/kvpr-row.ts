import type { Schedule } from './schedule.ts';

/** KVPR's latency schedule (section 3.2): activations first, then the rest of the KV while the GPU recomputes; layer after layer. */
export const kvprRow: Schedule = {
  name: 'kvpr-row',
  summary: "recompute part of the KV while the rest comes (the paper's latency schedule)",
  ways: ['resident', 'recomputed'],
  home: 'transferred',
  recompute: 'prompt',
  prefetch: false,
  weights: 'gpu',
};
