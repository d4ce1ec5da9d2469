// Brings node_modules in line with the lock file, but only where it is not.
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './places.mjs';
import { npm, run } from './run.mjs';
import { ensureToolchain } from './system.mjs';

/** @param {(line: string) => void} say */
export async function ensurePackages(say) {
  const reason = whatDiffers();
  if (reason === undefined) return;
  say(`packages: npm ci (${reason})`);
  await ensureToolchain(say);
  const [command, args] = npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  const code = await run(command, args, { env: { ...process.env, ...headersEnvironment() } });
  if (code !== 0) throw new Error(`npm ci ended with code ${code}`);
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
  // npm writes this file when an installation is complete.
  const installedFile = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return 'nothing is installed';
  const wanted = lockedPackages(join(root, 'package-lock.json'));
  const installed = lockedPackages(installedFile);
  for (const [path, { version, optional }] of Object.entries(wanted)) {
    const found = installed[path]?.version;
    if (path !== '' && found !== version && !(optional && found === undefined)) {
      return `${path.replace('node_modules/', '')} is ${found ?? 'missing'}, ${version} is wanted`;
    }
  }
  return undefined;
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean }>}
 */
function lockedPackages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}
