import { isDeepStrictEqual } from 'node:util';
import { LOGIN_FRAGMENT } from '../src-shared/http-api.ts';
import { RefusalError } from '../src-shared/refusal.ts';
import type { Settings } from '../src-shared/settings.ts';
import type { OperationHandlers } from './engine/connection.ts';
import type { Engine } from './engine/engine.ts';
import type { ServerAddress } from './engine/engine-operations.ts';
import type { Logger } from './logger.ts';
import type { Reach } from './server/reach.ts';
import type { RunningServer } from './server/server.ts';
import type { Tokens } from './server/tokens.ts';
import type { Store } from './store/store.ts';

export interface LocalServerOptions {
  readonly engine: Engine;
  readonly store: Pick<Store, 'getFact' | 'setFact'>;
  readonly logger: Logger;
  readonly version: string;
  /** The built page of the window, for browsers. */
  readonly pageFolder: string;
  /** server.json */
  readonly file: string;
  readonly settings: () => Settings;
  readonly onNotice: (message: string) => void;
}

/** Those that the server has to be started anew for. */
const SETTINGS = [
  'server.enabled',
  'server.port',
  'server.hostNames',
  'server.tlsCertificate',
  'server.tlsKey',
  'server.tlsPort',
] as const satisfies readonly (keyof Settings)[];
const LAST_PORT = 'server.port';
const MINUTE_MS = 60_000;
/** Certificates are renewed some days before they run out. */
const RENEW_EVERY_MS = 60 * MINUTE_MS;

/** The HTTP server of this engine, as the settings want it: it starts, stops and moves to another port with them. */
export class LocalServer {
  readonly #options: LocalServerOptions;
  #running: { readonly server: RunningServer; readonly tokens: Tokens; readonly wanted: string; reach: Reach } | null = null;
  #tokens: Tokens | null = null;
  #changing: Promise<void> = Promise.resolve();
  readonly #renewing: NodeJS.Timeout;
  #isStopped = false;

  constructor(options: LocalServerOptions) {
    this.#options = options;
    this.#renewing = setInterval(() => void this.follow(), RENEW_EVERY_MS);
    this.#renewing.unref();
  }

  get running(): { readonly server: RunningServer; readonly tokens: Tokens } | null {
    return this.#running;
  }
  get address(): ServerAddress | null {
    return this.#running?.server ?? null;
  }

  /** Does what the settings say now; resolves when it is done. What keeps the server from running is told, not thrown. */
  follow(): Promise<void> {
    this.#changing = this.#changing.then(() => this.#change());
    return this.#changing;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#renewing);
    await this.#changing;
    await this.#close();
    await this.#tokens?.settled();
  }

  async #change(): Promise<void> {
    const settings = this.#options.settings();
    const wanted = JSON.stringify(SETTINGS.map((key) => settings[key]));
    if (this.#isStopped) return;
    try {
      if (this.#running?.wanted === wanted) return await this.#renew(this.#running, settings);
      await this.#close();
      if (settings['server.enabled']) await this.#start(settings, wanted);
    } catch (error) {
      this.#options.logger.error('the local server cannot run', { error });
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.onNotice(`The local server is not running: ${reason} Sessions are not affected.`);
    }
  }

  /** The certificate's files may have been written anew. What cannot be used yet, while they are, is read again the next time. */
  async #renew(running: NonNullable<LocalServer['running']> & { reach: Reach }, settings: Settings): Promise<void> {
    const { reachOf } = await import('./server/reach.ts');
    const reach = await reachOf(settings).catch((error: unknown) => {
      this.#options.logger.warn('the certificate cannot be read anew: the one before stays', { error });
      return running.reach;
    });
    if (reach.tls === null || isDeepStrictEqual(reach, running.reach)) return;
    running.server.renew(reach.tls);
    running.reach = reach;
    this.#options.logger.info('the certificate was renewed', {});
  }

  async #start(settings: Settings, wanted: string): Promise<void> {
    const { engine, logger, store, version, pageFolder, file } = this.#options;
    // Loaded only now: a framework and its packages, which nothing before this needs.
    const [{ startServer, PortTaken }, { apiRoutes }, { reachOf }, { writeServerFile }] = await Promise.all([
      import('./server/server.ts'),
      import('./server/api-routes.ts'),
      import('./server/reach.ts'),
      import('./server/server-file.ts'),
    ]);
    const tokens = await this.#openTokens();
    const port = settings['server.port'];
    const reach = await reachOf(settings);
    const start = (at: number) =>
      startServer({ engine, logger, tokens, version, pageFolder, port: at, reach, routes: [apiRoutes] });
    let server: RunningServer;
    if (port === 0) {
      const last = await this.#lastPort();
      server = await start(last).catch((error: unknown) => {
        if (last === 0 || !(error instanceof PortTaken)) throw error;
        return start(0);
      });
    } else server = await start(port);
    this.#running = { server, tokens, wanted, reach };
    await writeServerFile(file, { pid: process.pid, port: server.port, url: server.url, key: tokens.key, version });
    await store.setFact(LAST_PORT, server.port);
    logger.info('the local server listens', { count: server.port });
  }

  async #close(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    const { removeServerFile } = await import('./server/server-file.ts');
    await removeServerFile(this.#options.file, running.tokens.key);
    await running.server.stop();
  }

  async #openTokens(): Promise<Tokens> {
    const { store, logger, settings, onNotice, engine } = this.#options;
    const { Tokens } = await import('./server/tokens.ts');
    if (this.#tokens !== null) return this.#tokens;
    const tokens = await Tokens.open({
      store,
      logger,
      reconnectMs: () => settings()['server.reconnectMinutes'] * MINUTE_MS,
      onReuse: () =>
        onNotice(
          'A used-up sign-in of a browser was used again, as somebody would who had copied it. That browser was signed out; let it in anew with `baton connect dashboard`.',
        ),
    });
    this.#tokens = tokens;
    engine.clients.onDisconnect((clientId) => tokens.revoke(clientId));
    return tokens;
  }

  /** The port used last is tried first, so that pages that are open find their way back. */
  async #lastPort(): Promise<number> {
    const port = await this.#options.store.getFact(LAST_PORT);
    return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
  }
}

/** The operations that need the server. */
export function serverOperations(
  parts: () => { readonly engine: Engine | null; readonly server: LocalServer | null },
): OperationHandlers {
  const startedMs = performance.now();
  return {
    'server.loginCode': async (_params, { road }) => {
      if (road !== 'window' && road !== 'socket') {
        throw new RefusalError('not-allowed', 'Only a window or a command line on this machine may let a browser in.');
      }
      const { server } = parts();
      await server?.follow();
      const running = server?.running ?? null;
      if (running === null) {
        throw new RefusalError('not-ready', 'The local server is not running.', 'Switch on the setting server.enabled.');
      }
      const { code, expiresAt } = running.tokens.newCode();
      const link = (url: string) => `${url}/${LOGIN_FRAGMENT}${code}`;
      return { code, expiresAt, url: link(running.server.url), publicUrls: running.server.publicUrls.map(link) };
    },
    'server.stats': async () => {
      const { engine, server } = parts();
      const running = server?.running ?? null;
      const none = { requests: [], bytesIn: 0, bytesOut: 0, reconnections: 0 };
      return {
        ...(running?.server.stats.counts ?? none),
        uptimeSeconds: (performance.now() - startedMs) / 1000,
        wires: engine?.wires ?? { window: 0, socket: 0, websocket: 0, polling: 0, http: 0 },
        ...(engine?.eventCounts ?? { events: 0, eventsPerSecond: 0 }),
        refusedAttempts: running?.tokens.refusedAttempts ?? 0,
      };
    },
  };
}
