import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * node-pty's prebuilt helper for macOS comes without its executable bit, and without it no terminal starts.
 * @param {import('electron-builder').AfterPackContext} context
 */
export default async function afterPack(context) {
  if (context.electronPlatformName !== 'darwin') return;
  const resources = context.packager.getResourcesDir(context.appOutDir);
  const prebuilds = join(resources, 'app.asar.unpacked', 'node_modules', 'node-pty', 'prebuilds');
  for (const platform of await readdir(prebuilds)) {
    if (platform.startsWith('darwin')) await chmod(join(prebuilds, platform, 'spawn-helper'), 0o755);
  }
}
