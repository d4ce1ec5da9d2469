import { readFileSync } from 'node:fs';
import { forkPtyHost } from './engine/pty-host/pty-host-fork.ts';
import { openLogger } from './logger.ts';
import { batonPaths, preparePaths } from './paths.ts';
import { NO_KEY_RING } from './secrets.ts';
import { obtainEngine } from './start-engine.ts';
import { BATON_VERSION } from './version.ts';

/**
 * The engine without Electron: `node out/main/headless.js`. Prints one JSON line when it is ready (or that another engine has this
 * data folder already), serves clients over the socket, and ends its programs on SIGTERM or SIGINT, or when a client asks.
 */
async function main(): Promise<void> {
  const paths = batonPaths();
  preparePaths(paths);
  const logger = openLogger(paths.logs, 'engine');
  const asked = new AbortController();
  const obtained = await obtainEngine({
    paths,
    version: BATON_VERSION,
    logger,
    spawnPtyHost: forkPtyHost,
    keyRing: NO_KEY_RING,
    passphrase: passphraseOf(process.env),
    onNotice: (message) => process.stderr.write(`baton: ${message}\n`),
    onStopAsked: () => asked.abort(),
  });
  if (obtained.kind === 'there') {
    obtained.socket.destroy();
    process.stderr.write(`baton: another engine already serves ${paths.data}.\n`);
    process.exitCode = 6;
    logger.close();
    return;
  }
  await Promise.all([obtained.startServer(), obtained.startMachines()]);
  process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, socket: paths.socket })}\n`);
  logger.info('engine started', { version: BATON_VERSION });

  let isStopping = false;
  const stop = (why: string) => {
    if (isStopping) return;
    isStopping = true;
    obtained.stop().then(
      () => {
        logger.info('engine stopped', { reason: why });
        logger.close();
        process.exit(0);
      },
      (error: unknown) => {
        logger.error('stopping failed', { error });
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
  asked.signal.addEventListener('abort', () => stop('a client asked'));
  if (asked.signal.aborted) stop('a client asked');
}

/** From an open file descriptor: neither arguments nor the environment keep a secret. */
function passphraseOf({ BATON_PASSPHRASE_FD: descriptor }: NodeJS.ProcessEnv): string | null {
  if (descriptor === undefined) return null;
  if (!/^\d+$/.test(descriptor)) throw new Error('BATON_PASSPHRASE_FD is not the number of a file descriptor.');
  return readFileSync(Number(descriptor), 'utf8').replace(/\r?\n$/, '');
}

main().catch((error: unknown) => {
  process.stderr.write(`baton: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
