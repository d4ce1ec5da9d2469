// Stands in for Electron's default app in a runtime that has none: `electron [-r file] <app folder> [arguments]`.
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { app as publicApp } from 'electron';

/** What Electron's own default app uses, too. */
const app = /** @type {Electron.App & { setAppPath(path: string): void, setVersion(version: string): void }} */ (publicApp);
const require = createRequire(import.meta.url);

// A preloaded file may rewrite argv (Playwright's does, and it holds `ready` until it is connected): read argv again after it.
for (const file of split(process.argv.slice(1)).preloaded) require(resolve(file));

const target = split(process.argv.slice(1)).positional[0];
if (target === undefined) {
  process.stderr.write('electron: name the folder of an app\n');
  app.exit(2);
} else {
  Object.defineProperty(process, 'defaultApp', { value: true });
  try {
    // Awaited at the top level, so that `ready` waits: schemes have to be registered before it.
    await import(pathToFileURL(entryOf(resolve(target))).href);
  } catch (error) {
    process.stderr.write(`electron: cannot start ${target}: ${error instanceof Error ? error.stack : error}\n`);
    app.exit(1);
  }
}

/** @param {string[]} args */
function split(args) {
  const preloaded = [];
  const positional = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (arg === '-r' || arg === '--require') preloaded.push(args[++index] ?? '');
    else if (!arg.startsWith('-')) positional.push(arg);
  }
  return { preloaded, positional };
}

/**
 * The file to import for an app folder or a script; tells Electron on the way which app it is.
 * @param {string} path
 */
function entryOf(path) {
  if (statSync(path).isFile()) {
    app.setAppPath(dirname(path));
    return path;
  }
  const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  const name = manifest.productName ?? manifest.name;
  if (name) app.setName(name);
  if (manifest.version) app.setVersion(manifest.version);
  app.setPath('userData', join(app.getPath('appData'), app.getName()));
  app.setAppPath(path);
  return join(path, manifest.main ?? 'index.js');
}
