// Who may import whom. The compiler enforces most of it (one tsconfig per folder); this reads every import and compares it with
// the whole table, packages included.
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseSync } from 'vite';
import { root } from './places.mjs';

/**
 * @typedef {object} Zone
 * @property {RegExp} files which files belong to it; the first zone that fits counts
 * @property {string[]} imports the zones whose code it may import, beside its own
 * @property {string[]} [types] the zones of which it may import types only
 * @property {RegExp} packages what it may import from outside
 */

const withoutElectron = /^(?!electron($|\/))/;

/** @type {Record<string, Zone>} */
export const zones = {
  'shared tests': {
    files: /^src-shared\/(.*\.(test|fixture)\.ts$|sim\/)/,
    imports: ['shared', 'seal'],
    packages: withoutElectron,
  },
  // The one door to the crypto library.
  seal: { files: /^src-shared\/seal\.ts$/, imports: [], packages: /^libsodium-wrappers$/ },
  shared: { files: /^src-shared\//, imports: ['seal'], packages: /^(zod|lib0|uuid|yjs)($|\/)/ },
  'main tests': {
    files: /^src-main\/.*\.(test|fixture)\.ts$/,
    imports: [
      'electron',
      'cli',
      'relay',
      'sync',
      'server',
      'engine',
      'store',
      'leaf',
      'composition',
      'shared',
      'shared tests',
      'seal',
      'scripted API',
    ],
    // Of Electron they take types: the compiler leaves nothing else of it in Node.
    packages: /./,
  },
  preload: { files: /^src-main\/electron\/preload[^/]*$/, imports: ['shared'], packages: /^(electron|zod\/mini)$/ },
  electron: {
    files: /^src-main\/electron\//,
    imports: ['engine', 'store', 'leaf', 'composition', 'shared'],
    types: ['preload'],
    packages: /./,
  },
  // A client like any other: of the engine it knows what is in shared. Its few packages are bundled, for it has to start at once.
  cli: {
    files: /^src-main\/cli\//,
    imports: ['leaf', 'shared'],
    packages: /^(node:|zod\/mini$|commander$|uqr$|@bomb\.sh\/tab($|\/))/,
  },
  engine: { files: /^src-main\/engine\//, imports: ['leaf', 'shared'], types: ['store'], packages: withoutElectron },
  // Blind: it knows keys only to check signatures. Its state lies in SQLite as the log does.
  relay: { files: /^src-main\/relay\//, imports: ['store', 'leaf', 'shared', 'seal'], packages: /^(node:|ws$|better-sqlite3$)/ },
  sync: {
    files: /^src-main\/sync\//,
    imports: ['leaf', 'shared', 'seal'],
    types: ['engine', 'store'],
    packages: /^(node:|ws$|yjs$|y-websocket$|y-protocols\/|lib0\/|bonjour-service$|write-file-atomic$|zod\/mini$)/,
  },
  server: { files: /^src-main\/server\//, imports: ['engine', 'leaf', 'shared'], types: ['store'], packages: withoutElectron },
  store: { files: /^src-main\/store\//, imports: ['leaf', 'shared'], packages: withoutElectron },
  // On these, and only these, of the files at the top of src-main may its folders build (as in src-main/tsconfig.leaf.json).
  leaf: {
    files: /^src-main\/(entry-path|page-file|paths|home|logger|socket-wire|stream-wire|version)\.ts$/,
    imports: ['shared', 'manifest'],
    packages: withoutElectron,
  },
  // version.ts reads it.
  manifest: { files: /^package\.json$/, imports: [], packages: /^$/ },
  composition: {
    files: /^src-main\/(machines\/)?[^/]+$/,
    imports: ['server', 'relay', 'sync', 'engine', 'store', 'leaf', 'shared', 'seal'],
    packages: withoutElectron,
  },
  'renderer tests': {
    files: /^src-renderer\/.*\.test\.tsx?$/,
    imports: ['renderer', 'shared', 'shared tests'],
    packages: withoutElectron,
  },
  renderer: {
    files: /^src-renderer\//,
    imports: ['shared'],
    packages: /^(?!node:|electron($|\/)|better-sqlite3|node-pty|ws$|fastify|@fastify\/|pino|@anthropic-ai\/|@xterm\/headless)/,
  },
  // Runs in plain Node without a build, so that it can be used from everywhere that is not shipped.
  'scripted API': { files: /^e2e\/scripted-api\//, imports: [], packages: withoutElectron },
  e2e: { files: /^e2e\//, imports: ['shared', 'scripted API'], packages: /./ },
};

const trees = ['src-shared', 'src-main', 'src-renderer', 'e2e'];
const sourceFile = /\.(ts|tsx|js|mjs)$/;

/** @param {string} file */
const zoneOf = (file) => Object.keys(zones).find((name) => zones[name]?.files.test(file));

/**
 * What one file imports against the table, as sentences.
 * @param {string} file its path from the root, with slashes
 * @param {string} text
 * @returns {string[]}
 */
export function violations(file, text) {
  const name = zoneOf(file);
  const zone = name === undefined ? undefined : zones[name];
  if (!zone) return [`${file} belongs to no zone of scripts/borders.mjs`];
  return importsOf(file, text).flatMap(({ from, typeOnly }) => {
    if (!from.startsWith('.')) return zone.packages.test(from) ? [] : [`${file} (${name}) imports the package ${from}`];
    const target = posix.join(posix.dirname(file), from);
    const targetZone = zoneOf(target);
    if (targetZone === name || (targetZone && zone.imports.includes(targetZone))) return [];
    if (targetZone && typeOnly && zone.types?.includes(targetZone)) return [];
    return [`${file} (${name}) imports ${typeOnly ? 'types of ' : ''}${target} (${targetZone ?? 'no zone'})`];
  });
}

/**
 * @param {string} file
 * @param {string} text
 * @returns {{ from: string, typeOnly: boolean }[]}
 */
function importsOf(file, text) {
  const { module, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0]?.message}`);
  const typesOnly = (/** @type {{ isType: boolean }[]} */ entries) => entries.length > 0 && entries.every(({ isType }) => isType);
  const imported = module.staticImports.map(({ moduleRequest, entries }) => ({
    from: moduleRequest.value,
    typeOnly: typesOnly(entries),
  }));
  const passedOn = module.staticExports.flatMap(({ entries }) => {
    const from = entries[0]?.moduleRequest?.value;
    return from === undefined ? [] : [{ from, typeOnly: typesOnly(entries) }];
  });
  const later = module.dynamicImports.flatMap(({ moduleRequest: { start, end } }) => {
    const literal = /^['"](.+)['"]$/.exec(text.slice(start, end))?.[1];
    return literal === undefined ? [] : [{ from: literal, typeOnly: false }];
  });
  return [...imported, ...passedOn, ...later];
}

async function sourceFiles() {
  const listed = await Promise.all(trees.map((tree) => readdir(join(root, tree), { recursive: true, withFileTypes: true })));
  return listed
    .flat()
    .filter((entry) => entry.isFile() && sourceFile.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const found = (await sourceFiles()).flatMap((file) => violations(file, readFileSync(join(root, file), 'utf8')));
  for (const violation of found) process.stdout.write(`${violation}\n`);
  process.exitCode = found.length > 0 ? 1 : 0;
}
