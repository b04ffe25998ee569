import { readFileSync } from 'node:fs';
import type { Backend } from '../native.ts';

/** Beyond the second-level caches of GPUs so far. */
const GPU_BYTES = 128 * 2 ** 20;
/** Where the system does not say. */
const CPU_BYTES = 32 * 2 ** 20;
const MOST_BYTES = 256 * 2 ** 20;

/** Size of the last-level cache that kernels share, or somewhat more. */
export function cacheBytes(backend: Backend): number {
  if (backend === 'cuda') return GPU_BYTES;
  try {
    const text = readFileSync('/sys/devices/system/cpu/cpu0/cache/index3/size', 'utf8');
    const [, size, unit] = /^(\d+)([KM])/.exec(text) ?? [];
    const bytes = Number(size) * (unit === 'M' ? 2 ** 20 : 2 ** 10);
    return bytes > 0 ? Math.min(MOST_BYTES, bytes) : CPU_BYTES;
  } catch {
    return CPU_BYTES;
  }
}
