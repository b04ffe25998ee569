import { UsageError } from './usage-error.ts';

const MOST = 100_000;

/** An option, `name` with its dashes, that is a whole number from 1 on. */
export function countOption(name: string, describe: string, value: number) {
  return {
    type: 'string',
    requiresArg: true,
    default: String(value),
    describe,
    coerce: (text: string | string[]) => readCount(name, text, MOST),
  } as const;
}

/** An option, `name` with its dashes, that may be left out or is a whole number from 1 to `most`. */
export function optionalCountOption(name: string, describe: string, most: number) {
  return {
    type: 'string',
    requiresArg: true,
    describe,
    coerce: (text: string | string[] | undefined) => (text === undefined ? undefined : readCount(name, text, most)),
  } as const;
}

function readCount(name: string, text: string | string[], most: number): number {
  const count = typeof text === 'string' && /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (count >= 1 && count <= most) return count;
  throw new UsageError(`${name}: found ${JSON.stringify(text)}, expected a whole number from 1 to ${most}`);
}

/** The option --minutes, which may be left out or is above 0 and at most `most`. */
export function minutesOption(describe: string, most: number) {
  return {
    type: 'string',
    requiresArg: true,
    describe,
    coerce: (text: string | string[] | undefined) => (text === undefined ? undefined : readMinutes(text, most)),
  } as const;
}

function readMinutes(text: string | string[], most: number): number {
  const minutes = typeof text === 'string' && /\S/.test(text) ? Number(text) : Number.NaN;
  if (minutes > 0 && minutes <= most) return minutes;
  throw new UsageError(`--minutes: found ${JSON.stringify(text)}, expected a number above 0 and up to ${most}`);
}

/** An option, `name` with its dashes, that is a share such as 5% or 0.05. */
export function shareOption(name: string, describe: string) {
  return {
    type: 'string',
    requiresArg: true,
    describe,
    coerce: (text: string | string[] | undefined) => (text === undefined ? undefined : readShare(name, text)),
  } as const;
}

function readShare(name: string, text: string | string[]): number {
  const match = typeof text === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*(%?)\s*$/.exec(text) : null;
  const share = match ? Number(match[1]) / (match[2] ? 100 : 1) : Number.NaN;
  if (Number.isFinite(share)) return share;
  throw new UsageError(`${name}: found ${JSON.stringify(text)}, expected a share such as 5%`);
}
