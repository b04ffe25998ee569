import { execFileSync } from 'node:child_process';

/** Builds what the tests of the commands run, where it is missing or older than its sources. */
export function setup(): void {
  execFileSync(process.execPath, ['tools/setup.mjs'], { stdio: 'inherit' });
}
