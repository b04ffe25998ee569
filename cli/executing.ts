import { Presets, SingleBar } from 'cli-progress';
import { whyNotExecutable } from '../exec/executable.ts';
import { MissingNative } from '../exec/missing-native.ts';
import type { Scenario } from '../sim/scenario/scenario.ts';
import { UsageError } from './usage-error.ts';

type OnProgress = (doing: string, done: number, of: number) => void;

/** Throws a UsageError that says why, where a scenario can be simulated but not executed. */
export function refuseUnexecutable(scenario: Scenario): void {
  const because = whyNotExecutable(scenario);
  if (because) throw new UsageError(`${scenario.name} cannot be executed: ${because}`);
}

/** How shells name the end by Ctrl-C. */
const INTERRUPTED = 130;

/** A device that lacks something, or memory that does not suffice, is the user's to mend: their codes. */
const MENDABLE = new Set(['DEVICE', 'MEMORY']);

/**
 * Does work on a device: with a progress bar on a terminal, and ended in order by Ctrl-C, so that nothing stays allocated or half-written.
 * What the user can mend becomes a UsageError.
 */
export async function executing<T>(work: (signal: AbortSignal, onProgress: OnProgress) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  const progress = progressBar();
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    return await work(abort.signal, progress.report);
  } catch (error) {
    if (abort.signal.aborted) {
      progress.stop();
      process.stderr.write('splitpoint: interrupted\n');
      process.exit(INTERRUPTED);
    }
    const { code, message } = error as { code?: string; message: string };
    if (error instanceof MissingNative || MENDABLE.has(code ?? '')) throw new UsageError(message);
    throw error;
  } finally {
    progress.stop();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

function progressBar(): { report: OnProgress; stop: () => void } {
  if (!process.stderr.isTTY) return { report: () => {}, stop: () => {} };
  const bar = new SingleBar(
    { format: '{doing} {bar} {value} of {total}', clearOnComplete: true },
    Presets.shades_classic,
  );
  return {
    report: (doing, done, of) => {
      if (!bar.isActive) bar.start(of, done, { doing });
      bar.setTotal(of);
      bar.update(done, { doing });
    },
    stop: () => bar.stop(),
  };
}
