// Which Electron runs the app here: one that was named, the official one, or the stand-in.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkoutCache, root } from './places.mjs';
import { capture } from './run.mjs';
import { ensureStandIn, standIn, standInSupported } from './stand-in.mjs';
import { ensureLibraries } from './system.mjs';

/** @typedef {{ kind: 'named' | 'official' | 'stand-in', dist: string, packDist: string, executable: string }} Choice */
/** @typedef {Choice & { version: string, napi: number }} Runtime */

const recordFile = join(checkoutCache, 'runtime.json');
const official = join(root, 'node_modules', 'electron');
/** A download that failed is not tried again before this has passed (or `npm run setup -- --retry`). */
const retryAfterMs = 24 * 60 * 60 * 1000;
const downloadTimeoutMs = 10 * 60 * 1000;

/**
 * @param {(line: string) => void} say
 * @param {{ retry: boolean }} options
 * @returns {Promise<Runtime>}
 */
export async function ensureRuntime(say, options) {
  const record = readRecord();
  const choice = named() ?? installed() ?? (await obtain(say, options.retry ? {} : record));
  const stamp = `${choice.executable}:${statSync(choice.executable).mtimeMs}`;
  if (record.stamp === stamp && record.probe) return { ...choice, ...record.probe };
  const probe = await probeRuntime(choice, say);
  await writeRecord({ ...readRecord(), stamp, probe });
  say(`electron: ${choice.kind} ${probe.version} in ${choice.dist}`);
  return { ...choice, ...probe };
}

/** @returns {Choice | undefined} */
function named() {
  const dist = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (!dist) return undefined;
  const executable = join(dist, executableName());
  if (!existsSync(executable))
    throw new Error(`ELECTRON_OVERRIDE_DIST_PATH names ${dist}, but there is no ${executableName()} in it`);
  // The stand-in's launcher must not end up inside a package.
  return { kind: 'named', dist, packDist: dist === standIn.dist ? standIn.packDist : dist, executable };
}

/** @returns {Choice | undefined} */
function installed() {
  const pathFile = join(official, 'path.txt');
  const dist = join(official, 'dist');
  if (!existsSync(pathFile)) return undefined;
  const executable = join(dist, readFileSync(pathFile, 'utf8'));
  return existsSync(executable) ? { kind: 'official', dist, packDist: dist, executable } : undefined;
}

/**
 * @param {(line: string) => void} say
 * @param {{ failedAt?: number }} record
 * @returns {Promise<Choice>}
 */
async function obtain(say, record) {
  const failedLately = record.failedAt !== undefined && Date.now() - record.failedAt < retryAfterMs;
  if (!failedLately || !standInSupported) {
    say('electron: fetching the official runtime');
    const fetched = await capture(process.execPath, [join(official, 'install.js')], { timeoutMs: downloadTimeoutMs });
    const choice = installed();
    if (fetched.code === 0 && choice) return choice;
    const reason = fetched.err.trim().split('\n')[0];
    if (!standInSupported) {
      throw new Error(
        `cannot fetch Electron: ${reason}. Set ELECTRON_MIRROR to a mirror you can reach, or ELECTRON_OVERRIDE_DIST_PATH to an unpacked Electron.`,
      );
    }
    say(`electron: the official runtime is out of reach (${reason})`);
    await writeRecord({ failedAt: Date.now() });
  }
  await ensureStandIn(say);
  return { kind: 'stand-in', ...standIn, executable: join(standIn.dist, 'electron') };
}

/**
 * Starts the runtime once as plain Node: says what it is, and whether the system has what it links against.
 * @param {Choice} choice
 * @param {(line: string) => void} say
 */
async function probeRuntime(choice, say) {
  const ask = () =>
    capture(choice.executable, ['-p', 'JSON.stringify([process.versions.electron, process.versions.napi])'], {
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    });
  let answer = await ask();
  if (answer.code !== 0 && /shared libraries/.test(answer.err)) {
    await ensureLibraries(say);
    answer = await ask();
  }
  if (answer.code !== 0) throw new Error(`${choice.executable} does not start: ${answer.err.trim()}`);
  const [version, napi] = JSON.parse(answer.out);
  return { version: String(version), napi: Number(napi) };
}

function executableName() {
  if (process.platform === 'win32') return 'electron.exe';
  return process.platform === 'darwin' ? 'Electron.app/Contents/MacOS/Electron' : 'electron';
}

/** @returns {{ failedAt?: number, stamp?: string, probe?: { version: string, napi: number } }} */
function readRecord() {
  return existsSync(recordFile) ? JSON.parse(readFileSync(recordFile, 'utf8')) : {};
}

/** @param {ReturnType<typeof readRecord>} record */
async function writeRecord(record) {
  await mkdir(checkoutCache, { recursive: true });
  await writeFile(recordFile, JSON.stringify(record));
}
