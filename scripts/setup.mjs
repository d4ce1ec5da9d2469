// Makes a checkout ready to build, run and test. Quick when nothing is missing; says each thing it does in one line.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withLock } from './lock.mjs';
import { ensurePackages } from './packages.mjs';
import { checkoutCache } from './places.mjs';
import { ensureRuntime } from './runtime.mjs';
import { ensureSqlite } from './sqlite.mjs';
import { ensurePrograms } from './system.mjs';

const oldestNode = [20, 19];

/**
 * @param {{ retry?: boolean }} [options]
 * @returns {Promise<import('./runtime.mjs').Runtime>}
 */
export async function setup(options = {}) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestNode;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new Error(`Node ${oldestNode.join('.')} or newer is needed; this is ${process.versions.node}`);
  }
  return withLock(join(checkoutCache, 'setup.lock'), async () => {
    await ensurePackages(say);
    await ensurePrograms(say);
    const runtime = await ensureRuntime(say, { retry: options.retry ?? false });
    await ensureSqlite(Math.min(Number(process.versions.napi), runtime.napi), say);
    return runtime;
  });
}

/** @param {string} line */
function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}

/**
 * The set-up for a script: a failure is one sentence and exit code 1.
 * @param {{ retry?: boolean }} [options]
 */
export async function setupOrExit(options) {
  try {
    return await setup(options);
  } catch (error) {
    process.stderr.write(`setup failed: ${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const runtime = await setupOrExit({ retry: process.argv.includes('--retry') });
  process.stdout.write(`Electron ${runtime.version} (${runtime.kind}), Node-API ${runtime.napi}: ${runtime.executable}\n`);
}
