import { defineConfig } from 'vitest/config';

const common = { setupFiles: ['test/setup.ts'], testTimeout: 60_000 };

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'units', include: ['test/**/*.test.ts'], exclude: ['test/cli/*.test.ts'], ...common } },
      // These run the built commands.
      { test: { name: 'commands', include: ['test/cli/*.test.ts'], globalSetup: 'test/global-setup.ts', ...common } },
    ],
  },
});
