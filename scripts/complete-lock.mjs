// `npm run complete-lock`, after a change to the dependencies. A registry mirror that holds the native packages of some platforms
// only leaves the others out of the lock file; `npm ci` then refuses it, everywhere. This adds what is missing: each is an exact
// version that its parent names, and its name says for what platform it is.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './places.mjs';

const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];
/** @type {Record<string, string>} */
const libraries = { gnu: 'glibc', gnueabihf: 'glibc', musl: 'musl', musleabihf: 'musl' };
const exactVersion = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

const file = join(root, 'package-lock.json');
const lock = JSON.parse(await readFile(file, 'utf8'));
const added = [];
for (const [parent, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    if (lock.packages[path] || lock.packages[`${parent}/${path}`] || !exactVersion.test(version)) continue;
    lock.packages[path] = { version, ...platformOf(name), ...(entry.dev ? { dev: true } : {}), optional: true };
    added.push(`${name}@${version}`);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
await writeFile(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(added.length > 0 ? `added ${added.join(', ')}\n` : 'the lock file is complete\n');

/** @param {string} name */
function platformOf(name) {
  const words = name.split(/[-/]/);
  const libc = words.map((word) => libraries[word]).find((library) => library !== undefined);
  return {
    cpu: words.filter((word) => processors.includes(word)),
    ...(words.includes('wasm32') ? {} : { os: words.filter((word) => systems.includes(word)) }),
    ...(libc === undefined ? {} : { libc: [libc] }),
  };
}
