import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it("README's TypeScript example runs as it stands and prints a verdict", () => {
  const readme = readFileSync('README.md', 'utf8');
  const example = /<!-- tested: .* -->\n```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  if (!example) throw new Error('README.md has no example marked as tested');
  // Inside the package, so that it imports itself by name; the example has no types to strip.
  const folder = mkdtempSync('.api-example-');
  try {
    const file = join(folder, 'example.mjs');
    writeFileSync(file, example);
    const printed = execFileSync(process.execPath, [file], { encoding: 'utf8' });
    expect(printed).toMatch(/^recompute kvpr-pipelined takes [\d.]+ ms a step/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
