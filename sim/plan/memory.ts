import type { Timeline } from '../engine/timeline.ts';
import type { Plan } from './plan.ts';

/** Bytes in use in a pool from each moment on. */
export interface MemoryCurve {
  seconds: number[];
  bytes: number[];
}

/** `host` counts pinned memory too. */
export interface MemoryOverTime {
  gpu: MemoryCurve;
  host: MemoryCurve;
}

/**
 * Memory of both pools over time: persistent buffers all along, the others from the start of the first operation that uses them to the
 * end of the last one.
 */
export function memoryOverTime(plan: Plan, timeline: Timeline): MemoryOverTime {
  const { buffers, operands, count } = plan;
  const from = new Float64Array(buffers.length).fill(Number.POSITIVE_INFINITY);
  const to = new Float64Array(buffers.length).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < count; i++) {
    for (let o = operands.start[i]; o < operands.start[i + 1]; o++) {
      const buffer = operands.buffer[o];
      from[buffer] = Math.min(from[buffer], timeline.startSeconds[i]);
      to[buffer] = Math.max(to[buffer], timeline.endSeconds[i]);
    }
  }
  const curve = (wanted: (pool: string) => boolean): MemoryCurve => {
    let always = 0;
    const changes: { seconds: number; bytes: number }[] = [];
    buffers.forEach((buffer, b) => {
      if (!wanted(buffer.pool)) return;
      if (buffer.persistent) always += buffer.bytes;
      else if (to[b] >= from[b]) {
        changes.push({ seconds: from[b], bytes: buffer.bytes }, { seconds: to[b], bytes: -buffer.bytes });
      }
    });
    // At one moment what begins counts before what ends: the peak must hold whatever the order.
    changes.sort((a, b) => a.seconds - b.seconds || b.bytes - a.bytes);
    const result: MemoryCurve = { seconds: [0], bytes: [always] };
    let now = always;
    for (const change of changes) {
      now += change.bytes;
      result.seconds.push(change.seconds);
      result.bytes.push(now);
    }
    return result;
  };
  return { gpu: curve((pool) => pool === 'gpu'), host: curve((pool) => pool !== 'gpu') };
}

export function peakBytes(memory: MemoryOverTime): { gpu: number; host: number } {
  const peak = (curve: MemoryCurve) => curve.bytes.reduce((a, b) => Math.max(a, b), 0);
  return { gpu: peak(memory.gpu), host: peak(memory.host) };
}
