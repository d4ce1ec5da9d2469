// A virtual display of our own where there is none. Started directly rather than through xvfb-run, which would leave the app
// behind when it is told to stop.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasDisplay } from './system.mjs';

const screen = '1600x1000x24';

/**
 * @template T
 * @param {(env: NodeJS.ProcessEnv) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withDisplay(work) {
  if (hasDisplay()) return work(process.env);
  const folder = await mkdtemp(join(tmpdir(), 'baton-display-'));
  const authority = join(folder, 'Xauthority');
  await writeFile(authority, authorityFile(randomBytes(16)), { mode: 0o600 });
  const server = spawn(
    'Xvfb',
    ['-displayfd', '3', '-screen', '0', screen, '-nolisten', 'tcp', '-auth', authority, '+extension', 'GLX'],
    {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      // Ctrl-C goes to the whole process group: the display has to outlive the app that is closing on it.
      detached: true,
    },
  );
  try {
    const number = await displayNumber(server);
    return await work({ ...process.env, DISPLAY: `:${number}`, XAUTHORITY: authority });
  } finally {
    server.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * @param {import('node:child_process').ChildProcess} server
 * @returns {Promise<string>}
 */
function displayNumber(server) {
  return new Promise((resolve, reject) => {
    let text = '';
    server.stdio[3]?.on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('\n')) resolve(text.trim());
    });
    server.on('error', (error) => reject(new Error(`cannot start a virtual display: ${error.message}`)));
    server.on('exit', (code) => reject(new Error(`the virtual display ended with code ${code}`)));
  });
}

/**
 * One cookie for any host and display, in the format of Xau(3): 16-bit family, then four counted strings.
 * @param {Buffer} cookie
 */
function authorityFile(cookie) {
  const anyFamily = Buffer.from([0xff, 0xff]);
  const counted = [Buffer.alloc(0), Buffer.alloc(0), Buffer.from('MIT-MAGIC-COOKIE-1'), cookie].flatMap((bytes) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat([anyFamily, ...counted]);
}
