// `npm run e2e [-- Playwright's arguments]`: the tests that drive the built app.
import { pathToFileURL } from 'node:url';
import { allParts, buildOrExit } from './build.mjs';
import { withDisplay } from './display.mjs';
import { binary, run } from './run.mjs';
import { setupOrExit } from './setup.mjs';
import { ensureBrowser } from './system.mjs';

/**
 * @param {import('./runtime.mjs').Runtime} runtime
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [extra]
 */
export async function runPlaywright(runtime, args, extra = {}) {
  await ensureBrowser((line) => process.stdout.write(`${line}\n`));
  return withDisplay((env) =>
    run(process.execPath, [binary('@playwright/test', 'cli.js'), 'test', ...args], {
      env: { ...env, ...extra, ELECTRON_OVERRIDE_DIST_PATH: runtime.dist },
    }),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const runtime = await setupOrExit();
  await buildOrExit(allParts);
  process.exitCode = await runPlaywright(runtime, process.argv.slice(2));
}
