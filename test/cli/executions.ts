import { folderWith, type Outcome, splitpoint } from './splitpoint.ts';

/** A scenario that is executed in a moment. Its machine is as slow as the paced link, and its GPU as fast as a core. */
const TINY = {
  name: 'tiny',
  model: { layers: 2, hidden: 64, heads: 4, kvHeads: 4, headDim: 16, ffn: 128, gated: false, vocab: 64 },
  machine: {
    name: 'about a core',
    gpu: { memory: '4 GiB', matmul: '20 GFLOP/s', memoryBandwidth: '10 GB/s' },
    host: { memory: '8 GiB', memoryBandwidth: '10 GB/s', matmul: '20 GFLOP/s' },
    link: { h2d: '100 MB/s' },
  },
  workload: { batch: 2, promptTokens: 32, generatedTokens: 3 },
  precision: { weights: 'fp32', kv: 'fp32', activations: 'fp32' },
};

export const PACED = ['--backend', 'cpu', '--link-rate', '100 MB/s'];

/** A folder with the tiny scenario, whose name in it is `tiny.json`. */
export function tinyFolder(changes: object = {}): string {
  return folderWith({ 'tiny.json': JSON.stringify({ ...TINY, ...changes }) });
}

/** Runs a command on the tiny scenario in a folder of its own. */
export function onTiny(command: string, args: string[]): Outcome {
  return splitpoint([command, 'tiny.json', ...args], { cwd: tinyFolder() });
}

/** Whether a document has no number that is not finite (JSON writes those as null) and no null elsewhere. */
export function allFinite(document: unknown): boolean {
  if (typeof document === 'number') return Number.isFinite(document);
  if (typeof document !== 'object') return true;
  return document !== null && Object.values(document).every(allFinite);
}
