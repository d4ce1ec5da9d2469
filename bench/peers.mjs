// Other servers for the relay to be held against, in exact versions. They are installed beside the benchmarks when one needs them
// and are never the app's.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./peers', import.meta.url));
export const peerServer = join(folder, 'server.mjs');

/** null: they are there. Else why not. */
export async function installPeers() {
  const installed = join(folder, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(folder, 'package-lock.json')).mtimeMs) return null;
  process.stderr.write('sync: installing @y/websocket-server, @hocuspocus/server and ws into bench/peers\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const options = { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], shell: process.platform === 'win32' };
  const child = spawn(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], options);
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const [code] = await once(child, 'close').catch((error) => [error.message]);
  return code === 0 ? null : `npm ci in bench/peers ended with ${code}: ${said.trim().split('\n').at(-1) ?? ''}`;
}
