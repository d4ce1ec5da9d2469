// `npm run -s baton -- …`: the command line of this checkout. What is missing or out of date is made first, and told on stderr;
// on stdout there is nothing but the command's own output.
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildOrExit } from './build.mjs';
import { root } from './places.mjs';
import { setupOrExit } from './setup.mjs';

const before = process.env.NODE_ENV;
await setupOrExit();
await buildOrExit(['main']);
// A production build sets it for whoever runs it; sessions that are started now would inherit it.
if (before === undefined) delete process.env.NODE_ENV;
forgetNpm();
const cli = join(root, 'out', 'main', 'cli.js');
process.argv[1] = cli;
await import(pathToFileURL(cli).href);

/** The command runs where the user is, and with the user's environment: npm's own would end up in every session started from here. */
function forgetNpm() {
  if (process.env.INIT_CWD) process.chdir(process.env.INIT_CWD);
  for (const name of Object.keys(process.env)) if (/^(npm_|INIT_CWD$)/.test(name)) delete process.env[name];
  const entries = (process.env.PATH ?? '').split(delimiter);
  const isNpms = (/** @type {string} */ entry) => /[\\/](node_modules[\\/]\.bin|node-gyp-bin)$/.test(entry);
  // npm puts its folders in front; one that stands further back is the user's.
  const own = entries.findIndex((entry) => !isNpms(entry));
  process.env.PATH = entries.slice(Math.max(0, own)).join(delimiter);
}
