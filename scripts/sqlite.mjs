// better-sqlite3 ships a binary for Node-API 10. An older runtime does not refuse it but crashes in it, so there the module is
// compiled once, in a way that works in both Node and Electron, and kept for the other checkouts.
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeHeaders } from './packages.mjs';
import { root, userCache } from './places.mjs';
import { binary, capture } from './run.mjs';
import { ensureToolchain } from './system.mjs';

export const prebuiltNapi = 10;
const folder = join(root, 'node_modules', 'better-sqlite3');
const compiled = join(folder, 'build', 'Release', 'better_sqlite3.node');
const stamp = join(folder, 'build', 'made-for');

/**
 * @param {number} napi the lower Node-API version of the runtimes in use
 * @param {(line: string) => void} say
 */
export async function ensureSqlite(napi, say) {
  if (napi >= prebuiltNapi) {
    // The loader prefers a compiled module: a stale one must not win over the prebuilt.
    if (existsSync(join(folder, 'build'))) await rm(join(folder, 'build'), { recursive: true });
    return;
  }
  const key = await cacheKey();
  if (existsSync(compiled) && existsSync(stamp) && (await readFile(stamp, 'utf8')) === key) return;
  const cached = join(userCache, `${key}.node`);
  if (!existsSync(cached)) {
    say(`sqlite: compiling better-sqlite3 for Node-API ${napi} (a minute or two, once)`);
    await compile();
    await keep(cached);
  }
  say('sqlite: installing the compiled better-sqlite3');
  await rm(join(folder, 'build'), { recursive: true, force: true });
  await mkdir(join(folder, 'build', 'Release'), { recursive: true });
  await cp(cached, compiled);
  await writeFile(stamp, key);
}

async function cacheKey() {
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const libc = process.platform === 'linux' && existsSync('/etc/alpine-release') ? 'musl' : '';
  return `better-sqlite3-${version}-${process.platform}${libc}-${process.arch}-napi-any`;
}

async function compile() {
  await ensureToolchain(() => {});
  const headers = nodeHeaders();
  const args = ['rebuild', '--release', ...(headers === undefined ? [] : [`--nodedir=${headers}`]), '--', '-Dforce_build=1'];
  // Without these the module takes the experimental finalizers of Node-API 10 for granted; asking for Node-API 9 instead
  // compiles, and aborts when it is loaded.
  const CXXFLAGS = '-UNAPI_VERSION -DNAPI_EXPERIMENTAL -DNODE_API_EXPERIMENTAL_NOGC_ENV_OPT_OUT';
  const built = await capture(process.execPath, [binary('node-gyp', 'bin/node-gyp.js'), ...args], {
    cwd: folder,
    env: { ...process.env, CXXFLAGS },
  });
  if (built.code !== 0)
    throw new Error(`better-sqlite3 does not compile:\n${built.err.trim().split('\n').slice(-30).join('\n')}`);
}

/** @param {string} cached */
async function keep(cached) {
  const works = await capture(process.execPath, ['-e', "new (require('better-sqlite3'))(':memory:').prepare('select 1').get()"]);
  if (works.code !== 0) throw new Error(`better-sqlite3 compiled, but does not load: ${works.err.trim()}`);
  await mkdir(userCache, { recursive: true });
  await cp(compiled, `${cached}.${process.pid}`);
  await rename(`${cached}.${process.pid}`, cached);
}
