import type { Buffer, Pool } from '../../sim/plan/plan.ts';
import { aligned, type Probe, USES, type Use } from './probe.ts';

const POOLS: readonly Pool[] = ['gpu', 'pinned', 'host'];

/** What `read` and `written` areas alternate between, as the buffers of a decode do. */
const SLOTS = 2;

interface Region {
  buffer: number;
  bytes: number;
  /** Next free byte of a ring; next slot otherwise. */
  next: number;
}

/** Where an area lies. */
interface Place {
  buffer: number;
  offsetBytes: number;
}

/** Bytes of a pool that a probe needs at least. */
export function bytesNeeded(probe: Probe, pool: Pool): number {
  return USES.reduce((sum, use) => sum + (use === 'cold' ? 1 : SLOTS) * bytesOf(probe, pool, use), 0);
}

function bytesOf({ areas }: Probe, pool: Pool, use: Use): number {
  return areas.reduce((sum, area) => sum + (area.pool === pool && area.use === use ? aligned(area.bytes) : 0), 0);
}

/**
 * Memory that chains of operations go through: rings for what is cold, two slots for what is handed on. Each lane (chain at the same
 * time) has its own, so that no two touch the same bytes.
 */
export class Regions {
  readonly buffers: Buffer[] = [];
  readonly #lanes: Map<string, Region>[];

  /**
   * @param lanes what each lane will be asked to place
   * @param ringBytes of each ring, more where a single operation needs more
   */
  constructor(lanes: readonly (readonly Probe[])[], ringBytes: number) {
    this.#lanes = lanes.map((probes, lane) => {
      const regions = new Map<string, Region>();
      for (const pool of POOLS) {
        for (const use of USES) {
          const most = probes.reduce((bytes, probe) => Math.max(bytes, bytesOf(probe, pool, use)), 0);
          if (most === 0) continue;
          const bytes = use === 'cold' ? Math.max(most, aligned(ringBytes)) : SLOTS * most;
          const buffer = this.buffers.push({ name: `${pool}-${use}[${lane}]`, pool, bytes, persistent: true }) - 1;
          regions.set(`${pool} ${use}`, { buffer, bytes, next: 0 });
        }
      }
      return regions;
    });
  }

  /** Places for the areas of a probe's next operation. */
  place(lane: number, probe: Probe): Place[] {
    const regions = this.#lanes[lane];
    const at = new Map<string, number>();
    return probe.areas.map(({ pool, use, bytes }) => {
      const key = `${pool} ${use}`;
      const region = regions.get(key)!;
      const offsetBytes = at.get(key) ?? this.#begin(region, use, bytesOf(probe, pool, use));
      at.set(key, offsetBytes + aligned(bytes));
      return { buffer: region.buffer, offsetBytes };
    });
  }

  #begin(region: Region, use: Use, bytes: number): number {
    if (use !== 'cold') {
      region.next = (region.next + 1) % SLOTS;
      return (region.next * region.bytes) / SLOTS;
    }
    if (region.next + bytes > region.bytes) region.next = 0;
    const from = region.next;
    region.next += bytes;
    return from;
  }
}
