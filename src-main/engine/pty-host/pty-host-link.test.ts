import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { linkPtyHost } from './pty-host-link.ts';

let folder: string;
let server: Server | null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-link-'));
  server = null;
});
afterEach(() => {
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A pty host that listens (or does not) at `address` and ends when it is killed; resolves with why its end was. */
function endOf(message: unknown): Promise<string> {
  return new Promise((resolve) => {
    let exit = (_reason: string): void => {};
    const link = linkPtyHost({
      pid: 1,
      onMessage: (listener) => queueMicrotask(() => listener(message)),
      onExit: (listener) => {
        exit = listener;
      },
      kill: () => exit('it was killed'),
    });
    link.onExit(resolve);
  });
}

it('does not believe a pty host that talks nonsense', async () => {
  const address = join(folder, 'socket');
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(Buffer.alloc(64, '!'));
  }).listen(address);
  await vi.waitFor(() => expect(server?.listening).toBe(true));
  expect(await endOf({ type: 'listening', address })).toMatch(/not a message/);
  expect(await endOf({ type: 'nonsense' })).toMatch(/not a message/);
});

it('says so when a pty host cannot be reached', async () => {
  expect(await endOf({ type: 'listening', address: join(folder, 'nobody') })).toMatch(/cannot be reached: .*ENOENT/);
});

it('ends a pty host that closes its line', async () => {
  const address = join(folder, 'socket');
  server = createServer((socket) => socket.end()).listen(address);
  await vi.waitFor(() => expect(server?.listening).toBe(true));
  expect(await endOf({ type: 'listening', address })).toBe('it was killed');
});
