import type { Schedule } from './schedule.ts';

/** Ours: KVPR's split with activations and KV of the next layer fetched while this one computes. */
export const kvprPipelined: Schedule = {
  name: 'kvpr-pipelined',
  summary: 'recompute part of the KV, with activations and KV prefetched across layers',
  ways: ['resident', 'recomputed'],
  home: 'transferred',
  recompute: 'context',
  prefetch: true,
};
