#!/usr/bin/env node
import { InputError } from '../sim/scenario/input-error.ts';
import { commandLine } from './command-line.ts';
import { UsageError } from './usage-error.ts';

const CANNOT_PRINT = 1;
const BAD_INPUT = 2;
const INTERNAL_ERROR = 70;

// A reader that has seen enough (`| head`) is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    if (stream === process.stdout)
      process.stderr.write(`splitpoint: cannot write the output: ${oneLine(error.message)}\n`);
    process.exit(CANNOT_PRINT);
  });
}

try {
  await commandLine(process.argv.slice(2));
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof InputError || error instanceof UsageError) {
    process.stderr.write(`splitpoint: ${oneLine(error.message)}\n`);
    return BAD_INPUT;
  }
  const stack = error instanceof Error ? error.stack : String(error);
  process.stderr.write(`splitpoint: internal error, please report it with this trace and your scenario\n${stack}\n`);
  return INTERNAL_ERROR;
}

/** Errors quote what they found; control characters in it must not reach the terminal. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}
