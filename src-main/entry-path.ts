import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A built file of the main part that is started by path: electron.vite.config.ts makes out/main/<name>.js of each. */
export type EntryName = 'headless' | 'cli' | 'pty-host' | 'store-worker' | 'screen-worker' | 'document-worker' | 'relay-process';

const here = dirname(fileURLToPath(import.meta.url));
/** This module is bundled into out/main or out/main/chunks; a test runner runs its source, beside which nothing is built. */
const builtFolder = import.meta.url.endsWith('.ts') ? join(here, '..', 'out', 'main') : here.replace(/[\\/]chunks$/, '');

/** The built page of the window. */
export const pageFolder = join(builtFolder, '..', 'renderer');

export function entryPath(name: EntryName): string {
  return join(builtFolder, `${name}.js`);
}
