import { mkdirSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { sealReady, toHex } from '../src-shared/seal.ts';
import { openStderrLogger } from './logger.ts';
import { batonPaths } from './paths.ts';
import { RELAY_LIMITS, Relay } from './relay/relay.ts';
import { serveRelay } from './relay/relay-server.ts';
import { openSqliteStorage } from './relay/storage/sqlite.ts';

/** As `baton relay` was called. */
export interface RelayProcessOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** A folder; without one, in Baton's own. */
  readonly data?: string;
  readonly workspaces: number;
  readonly quotaGb: number;
  readonly json?: boolean;
  /** Ends when its stdin does, as when whoever started it is gone. */
  readonly embedded?: boolean;
}

/** What the relay keeps, all of it. SQLite puts its write-ahead log beside it. */
const FILE = 'relay.db';

/** A relay as a process of its own. Resolves when it was told to end and everything that it took is on the disk. */
export async function runRelay(options: RelayProcessOptions): Promise<void> {
  await sealReady;
  const folder = options.data ?? join(batonPaths().data, 'relay');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const logger = openStderrLogger();
  const storage = openSqliteStorage(join(folder, FILE));
  const limits = { ...RELAY_LIMITS, workspaces: options.workspaces, quotaBytes: options.quotaGb * 1024 ** 3 };
  const relay = new Relay({ storage, logger, limits });
  const { host } = options;
  try {
    const server = await serveRelay(relay, { host, port: options.port });
    const { port } = server;
    const url = `ws://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
    const ready = { ready: true, pid: process.pid, host, port, url, relayKey: toHex(relay.keys.publicKey) };
    process.stdout.write(
      options.json ? `${JSON.stringify(ready)}\n` : `The relay listens at ${url} and keeps its state in ${folder}.\n`,
    );
    await toldToEnd(options.embedded === true);
    relay.close();
    await server.close();
  } catch (error) {
    relay.close();
    throw error;
  }
}

function toldToEnd(withStdin: boolean): Promise<void> {
  return new Promise((resolve) => {
    if (withStdin) process.stdin.once('close', () => resolve()).resume();
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.removeAllListeners(signal);
      process.once(signal, () => resolve());
    }
  });
}
