import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { entryPath } from '../entry-path.ts';
import { openStderrLogger } from '../logger.ts';
import { EmbeddedRelay } from './embedded-relay.ts';

let folder: string;
let relay: EmbeddedRelay;
const notices: string[] = [];
beforeEach(() => {
  vi.stubEnv('BATON_LOG', 'warn');
  folder = mkdtempSync(join(tmpdir(), 'baton-embedded-'));
  notices.length = 0;
  relay = new EmbeddedRelay({ folder, logger: openStderrLogger(), onChange: () => {}, onNotice: (text) => notices.push(text) });
});
afterEach(async () => {
  await relay.stop();
  rmSync(folder, { recursive: true, force: true });
});

const isHealthy = (port: number) => fetch(`http://127.0.0.1:${port}/health`).then(({ ok }) => ok);

it('[embedded-1] starts it again when it dies, at the same port', async () => {
  await relay.follow({ host: '127.0.0.1', port: 0 });
  await relay.settled();
  const first = relay.serving;
  if (first === null) throw new Error(relay.failure ?? 'it does not run');
  expect(await isHealthy(first.port)).toBe(true);
  process.kill(first.pid, 'SIGKILL');
  await vi.waitFor(() => expect(relay.serving?.pid).not.toBe(first.pid));
  await vi.waitFor(() => expect(relay.serving?.port).toBe(first.port), { timeout: 20_000 });
  expect(await isHealthy(first.port)).toBe(true);
  await relay.follow(null);
  expect(relay.serving).toBeNull();
  await expect(isHealthy(first.port)).rejects.toThrow();
});

it('[embedded-1] says why it does not run, and runs once it can', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await relay.follow({ host: '127.0.0.1', port });
  await relay.settled();
  expect(relay.serving).toBeNull();
  expect(relay.failure).toContain('something else does');
  expect(notices).toHaveLength(1);
  other.close();
  await vi.waitFor(() => expect(relay.serving?.port).toBe(port), { timeout: 30_000 });
  expect(relay.failure).toBeNull();
});

it('[embedded-2] ends when whoever started it is gone', async () => {
  const args = [entryPath('cli'), 'relay', '--port', '0', '--data', folder, '--embedded', '--json'];
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, BATON_HOME: folder },
  });
  await once(child.stdout, 'data');
  child.stdin.destroy();
  expect(await once(child, 'exit')).toEqual([0, null]);
});
