// Builds out/main, out/preload and out/renderer. Each is made aside and then moved into place file by file, so that whoever
// is running from out/ meanwhile (another test run, an open app) never sees half of it.
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';
import { checkoutCache, root } from './places.mjs';

/** @typedef {'main' | 'preload' | 'renderer'} Part */

/** @type {Part[]} */
export const allParts = ['main', 'preload', 'renderer'];

/** @type {Record<Part, string[]>} */
const sources = {
  main: ['src-main', 'src-shared'],
  preload: ['src-main', 'src-shared'],
  renderer: ['src-renderer', 'src-shared'],
};
const configuration = ['electron.vite.config.ts', 'package.json', 'package-lock.json'];

/** @param {Part} part */
const stampOf = (part) => join(checkoutCache, `built-${part}`);

/**
 * @param {Part[]} parts
 * @param {{ force?: boolean }} [options]
 */
export async function build(parts, options = {}) {
  await withLock(join(checkoutCache, 'build.lock'), async () => {
    /** @type {Part[]} */
    const stale = [];
    for (const part of parts) if (options.force || (await isStale(part))) stale.push(part);
    if (stale.length > 0) await buildNow(stale);
  });
}

/**
 * The build for a script: a failure is told without the stack of the bundler, and ends it with code 1.
 * @param {Part[]} parts
 * @param {{ force?: boolean }} [options]
 */
export async function buildOrExit(parts, options) {
  try {
    await build(parts, options);
  } catch (error) {
    process.stderr.write(`build failed: ${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  }
}

/** What is in out/ was not made here: the next build makes it again. */
export async function forgetBuilds() {
  for (const part of allParts) await rm(stampOf(part), { force: true });
}

/** @param {Part[]} parts */
async function buildNow(parts) {
  const startedAt = new Date();
  process.stderr.write(`build: ${parts.join(', ')}\n`);
  const work = join(checkoutCache, `build-${process.pid}`);
  try {
    const { resolveConfig } = await import('electron-vite');
    const { build: bundle } = await import('vite');
    const { config } = await resolveConfig({ root, logLevel: 'warn', build: { outDir: work } }, 'build', 'production');
    for (const part of parts) {
      const options = config?.[part];
      if (!options) continue;
      await bundle(options);
      await publish(join(work, part), join(root, 'out', part));
      await writeFile(stampOf(part), '');
      // What was saved while we were building is newer than this and will be built next time.
      await utimes(stampOf(part), startedAt, startedAt);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * @param {string} from
 * @param {string} to
 */
async function publish(from, to) {
  const made = await files(from);
  for (const file of made) {
    const target = join(to, relative(from, file));
    if (existsSync(target) && (await readFile(target)).equals(await readFile(file))) continue;
    await mkdir(dirname(target), { recursive: true });
    await rename(file, target);
  }
  const kept = new Set(made.map((file) => join(to, relative(from, file))));
  for (const file of await files(to)) if (!kept.has(file)) await rm(file);
}

/** @param {Part} part */
async function isStale(part) {
  if (!existsSync(stampOf(part)) || !existsSync(join(root, 'out', part))) return true;
  const builtAt = (await stat(stampOf(part))).mtimeMs;
  const trees = await Promise.all(sources[part].map((folder) => files(join(root, folder), true)));
  const inputs = [...trees.flat(), ...configuration.map((file) => join(root, file))];
  const times = await Promise.all(inputs.map(async (path) => (await stat(path)).mtimeMs));
  return times.some((time) => time >= builtAt);
}

/**
 * Every file below a folder; with folders too, because a removed file shows only in its folder's time.
 * @param {string} folder
 * @param {boolean} [withFolders]
 */
async function files(folder, withFolders = false) {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const below = entries.filter((entry) => withFolders || entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return withFolders ? [folder, ...below] : below;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const named = allParts.filter((part) => process.argv.includes(part));
  await buildOrExit(named.length > 0 ? named : allParts, { force: !process.argv.includes('--if-stale') });
}
