import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    restoreMocks: true,
    unstubEnvs: true,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 25_000 } },
    // One core would be left to the tests of a small machine, and most of them wait for processes.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: 'main',
          environment: 'node',
          include: ['src-{main,shared}/**/*.test.ts', 'e2e/scripted-api/**/*.test.{js,ts}', 'scripts/*.test.mjs'],
          // better-sqlite3 and node-pty are not made for vitest's worker threads.
          pool: 'forks',
          globalSetup: ['./vitest.global.ts'],
          setupFiles: ['./vitest.patience.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'renderer',
          environment: 'happy-dom',
          include: ['src-renderer/**/*.test.{ts,tsx}'],
          setupFiles: ['./vitest.patience.ts', './vitest.renderer.ts'],
        },
      },
    ],
  },
});
