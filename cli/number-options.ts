import { UsageError } from './usage-error.ts';

const MOST = 100_000;

/** An option that is a whole number from 1 on. */
export function countOption(describe: string, value: number) {
  return {
    type: 'string',
    requiresArg: true,
    default: String(value),
    describe,
    coerce: (text: string | string[]) => readCount(describe, text),
  } as const;
}

function readCount(describe: string, text: string | string[]): number {
  const count = typeof text === 'string' && /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (count >= 1 && count <= MOST) return count;
  throw new UsageError(
    `found ${JSON.stringify(text)}, expected a whole number from 1 to ${MOST} (${lowered(describe)})`,
  );
}

/** An option that is a share such as 5% or 0.05. */
export function shareOption(describe: string) {
  return {
    type: 'string',
    requiresArg: true,
    describe,
    coerce: (text: string | string[] | undefined) => (text === undefined ? undefined : readShare(describe, text)),
  } as const;
}

function readShare(describe: string, text: string | string[]): number {
  const match = typeof text === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*(%?)\s*$/.exec(text) : null;
  if (match) return Number(match[1]) / (match[2] ? 100 : 1);
  throw new UsageError(`found ${JSON.stringify(text)}, expected a share such as 5% (${lowered(describe)})`);
}

const lowered = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
