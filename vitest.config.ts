import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // The workers that the engine and the store start are built files: bring them up to date before any test runs.
    globalSetup: ['./vitest.global.ts'],
    dangerouslyIgnoreUnhandledErrors: false,
    restoreMocks: true,
    unstubEnvs: true,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      {
        extends: true,
        test: { name: 'main', environment: 'node', include: ['src-{main,shared}/**/*.test.ts'], pool: 'forks' },
      },
      {
        extends: true,
        test: { name: 'renderer', environment: 'happy-dom', include: ['src-renderer/**/*.test.{ts,tsx}'] },
      },
    ],
  },
});
