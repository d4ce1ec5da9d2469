// `npm run bench -- [--json] [name...]`: runs bench/<name>.bench.mjs one after the other, each in a process of its own that
// prints one JSON document on stdout and whatever it wants to say meanwhile on stderr.
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { allParts, buildOrExit } from './build.mjs';
import { withDisplay } from './display.mjs';
import { root } from './places.mjs';
import { capture } from './run.mjs';
import { setupOrExit } from './setup.mjs';

const suffix = '.bench.mjs';
const { values, positionals } = parseArgs({ options: { json: { type: 'boolean', default: false } }, allowPositionals: true });

const folder = join(root, 'bench');
const all = existsSync(folder) ? (await readdir(folder)).filter((file) => file.endsWith(suffix)).sort() : [];
const names = all.map((file) => file.slice(0, -suffix.length));
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`bench: no ${unknown.join(', ')}; there are ${names.join(', ') || 'none'}\n`);
  process.exit(2);
}

const runtime = await setupOrExit();
await buildOrExit(allParts);

/** @type {Record<string, unknown>} */
const benches = {};
await withDisplay(async (env) => {
  for (const name of positionals.length > 0 ? positionals : names) {
    process.stderr.write(`bench: ${name}\n`);
    benches[name] = await measure(name, { ...env, ELECTRON_OVERRIDE_DIST_PATH: runtime.dist });
  }
});
const machine = {
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.versions.node,
};
const report = { machine, electron: { version: runtime.version, kind: runtime.kind }, benches };
process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : readable(report));

/**
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<unknown>}
 */
async function measure(name, env) {
  const { code, out, err } = await capture(process.execPath, [join(folder, name + suffix)], { env, showErrors: true });
  if (code !== 0) {
    process.exitCode = 1;
    return { error: err.split('\n').find((line) => /^\w*Error\b/.test(line)) ?? `ended with code ${code}` };
  }
  return JSON.parse(out);
}

/**
 * One line per figure: its path and its value.
 * @param {unknown} value
 * @param {string} [path]
 * @returns {string}
 */
function readable(value, path = '') {
  if (typeof value !== 'object' || value === null) return `${path}  ${value}\n`;
  return Object.entries(value)
    .map(([key, inner]) => readable(inner, path === '' ? key : `${path}.${key}`))
    .join('');
}
