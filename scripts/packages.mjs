// Brings node_modules in line with the lock file, but only where it is not.
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './places.mjs';
import { npm, run } from './run.mjs';
import { ensureToolchain } from './system.mjs';

/** npm writes this file when an installation is complete. */
const installedFile = join(root, 'node_modules', '.package-lock.json');

/** @param {(line: string) => void} say */
export async function ensurePackages(say) {
  const reason = whatDiffers();
  if (reason === undefined) return;
  say(`packages: npm ci (${reason})`);
  await ensureToolchain(say);
  for (let attempt = 1; ; attempt += 1) {
    const [command, args] = npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    const code = await run(command, args, { env: { ...process.env, ...headersEnvironment() } });
    if (code !== 0) throw new Error(`npm ci ended with code ${code}`);
    const missing = leftOut();
    if (missing.length === 0) return;
    if (attempt === MAX_ATTEMPTS)
      throw new Error(`npm could not fetch ${missing.join(', ')}: check the connection, then try again`);
    say(`packages: npm left out ${missing.join(', ')}; trying again`);
  }
}

/** npm says nothing when an optional package cannot be fetched, and the largest of them, Claude Code, is the likeliest to fail. */
const MAX_ATTEMPTS = 3;

/** The optional packages that are made for this platform and are not there. */
function leftOut() {
  const installed = lockedPackages(installedFile);
  return Object.entries(lockedPackages(join(root, 'package-lock.json')))
    .filter(([, locked]) => locked.optional && locked.os !== undefined && isForHere(locked))
    .filter(([path]) => installed[path] === undefined || !existsSync(join(root, path)))
    .map(([path]) => path.replace('node_modules/', ''));
}

/** @param {LockedPackage} locked */
function isForHere({ os, cpu, libc }) {
  return accepts(os, process.platform) && accepts(cpu, process.arch) && (libc === undefined || libc.includes(libcName()));
}

/**
 * @param {string[] | undefined} list "darwin", or "!win32" for all but that
 * @param {string} value
 */
function accepts(list, value) {
  if (list === undefined) return true;
  if (list.includes(`!${value}`)) return false;
  return list.includes(value) || list.every((entry) => entry.startsWith('!'));
}

function libcName() {
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report?.getReport());
  return report?.header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

/**
 * The headers that came with this Node, where they did: node-gyp would download them otherwise.
 * @returns {string | undefined}
 */
export function nodeHeaders() {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  return existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? prefix : undefined;
}

function headersEnvironment() {
  const prefix = nodeHeaders();
  return prefix === undefined ? {} : { npm_config_nodedir: prefix };
}

function whatDiffers() {
  if (!existsSync(installedFile)) return 'nothing is installed';
  const wanted = lockedPackages(join(root, 'package-lock.json'));
  const installed = lockedPackages(installedFile);
  for (const [path, { version, optional }] of Object.entries(wanted)) {
    const found = installed[path]?.version;
    if (path !== '' && found !== version && !(optional && found === undefined)) {
      return `${path.replace('node_modules/', '')} is ${found ?? 'missing'}, ${version} is wanted`;
    }
  }
  const missing = leftOut();
  return missing.length === 0 ? undefined : `${missing.join(', ')} is missing`;
}

/** @typedef {{ version?: string, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockedPackage */

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage>}
 */
function lockedPackages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}
