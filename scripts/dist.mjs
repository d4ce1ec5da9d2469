// `npm run dist [-- electron-builder's arguments]`: packages the app; `--dir` stops before the installers.
import { allParts, buildOrExit } from './build.mjs';
import { binary, run } from './run.mjs';
import { setupOrExit } from './setup.mjs';
import { prebuiltNapi } from './sqlite.mjs';

const runtime = await setupOrExit();
await buildOrExit(allParts, { force: true });

const inspect = process.env.BATON_DIST_INSPECT === '1';
const args = [
  ...process.argv.slice(2),
  '--publish=never',
  `-c.electronVersion=${runtime.version}`,
  // The official runtime is fetched for each target; the other kinds are folders here.
  ...(runtime.kind === 'official' ? [] : [`-c.electronDist=${runtime.packDist}`]),
  ...(inspect ? ['-c.electronFuses.enableNodeCliInspectArguments=true'] : []),
];
process.exitCode = await run(process.execPath, [binary('electron-builder', 'cli.js'), ...args], {
  env: {
    ...process.env,
    SQLITE_LEAVE_OUT: runtime.napi >= prebuiltNapi ? 'build' : 'prebuilds',
    // A hard-linked runtime would have its fuses set in the shared copy.
    USE_HARD_LINKS: 'false',
    ...(runtime.kind === 'stand-in' ? { ELECTRON_BUILDER_OFFLINE: 'true' } : {}),
  },
});
