import { Presets, SingleBar } from 'cli-progress';
import { whyNotExecutable } from '../exec/executable.ts';
import { MissingNative } from '../exec/missing-native.ts';
import type { Scenario } from '../sim/scenario/scenario.ts';
import { UsageError } from './usage-error.ts';

type OnProgress = (doing: string, done: number, of: number) => void;

/** Throws a UsageError that says why, where a scenario can be simulated but not executed. */
export function refuseUnexecutable(scenario: Scenario): void {
  const because = whyNotExecutable(scenario);
  if (because) throw new UsageError(`${scenario.name} cannot be executed. ${because}`);
}

/** How shells name the end by a signal. */
const ENDED_BY = { SIGINT: 130, SIGTERM: 143 } as const;

/** A device that lacks something, or memory that does not suffice, is the user's to mend: their codes. */
const MENDABLE = new Set(['DEVICE', 'MEMORY']);

/** What an interrupt does now. */
let onInterrupt: (code: number) => void = end;

function end(code: number): never {
  process.stderr.write('splitpoint: interrupted\n');
  process.exit(code);
}

/** Ends a command in order by Ctrl-C, from here on: what it does next without a pause is done first. */
export function catchInterrupts(): void {
  for (const [signal, code] of Object.entries(ENDED_BY)) process.on(signal, () => onInterrupt(code));
}

/**
 * Does work on a device: with a progress bar on a terminal, and ended in order by Ctrl-C, so that nothing stays allocated or half-written.
 * What comes behind it, the writing of files, is ended between two files. What the user can mend becomes a UsageError.
 */
export async function executing<T>(work: (signal: AbortSignal, onProgress: OnProgress) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const progress = progressBar();
  let ended = 0;
  onInterrupt = (code) => {
    ended = code;
    abort.abort();
  };
  try {
    const result = await work(abort.signal, progress.report);
    abort.signal.throwIfAborted();
    return result;
  } catch (error) {
    progress.stop();
    if (abort.signal.aborted) end(ended);
    const { code: kind = '', message } = error as { code?: string; message: string };
    if (error instanceof MissingNative || MENDABLE.has(kind)) throw new UsageError(message);
    throw error;
  } finally {
    onInterrupt = end;
    progress.stop();
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
