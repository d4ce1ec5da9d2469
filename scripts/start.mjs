// `npm start [-- arguments]`: sets up, builds what is out of date, and runs the app. `--dev` runs it from the dev server.
import { allParts, buildOrExit, forgetBuilds } from './build.mjs';
import { withDisplay } from './display.mjs';
import { root } from './places.mjs';
import { binary, run } from './run.mjs';
import { setupOrExit } from './setup.mjs';

const args = process.argv.slice(2);
const runtime = await setupOrExit();
// Chromium refuses to sandbox as root, and only then is it told not to.
const asRoot = process.platform === 'linux' && process.getuid?.() === 0;

if (args[0] === '--dev') {
  // The dev server puts its own main and preload into out/.
  await forgetBuilds();
  process.exitCode = await withDisplay((env) =>
    run(process.execPath, [binary('electron-vite', 'bin/electron-vite.js'), 'dev', ...args.slice(1)], {
      env: { ...env, ELECTRON_EXEC_PATH: runtime.executable, ...(asRoot ? { NO_SANDBOX: '1' } : {}) },
    }),
  );
} else {
  await buildOrExit(allParts);
  process.stderr.write(`Baton on Electron ${runtime.version} (${runtime.kind})\n`);
  process.exitCode = await withDisplay((env) =>
    run(runtime.executable, [root, ...(asRoot ? ['--no-sandbox'] : []), ...args], { env }),
  );
}
