import { describe } from 'vitest';
import { MissingNative } from '../../../exec/missing-native.ts';
import { native } from '../../../exec/native.ts';
import { missingToolchain } from '../../../tools/build-native.mjs';

/** Why tests of the addon are skipped, or null: only where it is missing and cannot be built, and never in CI. */
function reasonToSkip(): string | null {
  if (process.env.CI) return null;
  try {
    native();
    return null;
  } catch (error) {
    if (!(error instanceof MissingNative)) throw error;
    return missingToolchain();
  }
}

/** Tests of the addon: skipped, with the reason in their title, where there is none and none can be built. */
export function describeNative(title: string, tests: () => void): void {
  const reason = reasonToSkip();
  if (reason) describe.skip(`${title} (skipped: ${reason})`, tests);
  else describe(title, tests);
}
