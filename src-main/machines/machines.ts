import { SYSTEM_CLOCK } from '../../src-shared/client.ts';
import type { MachineList, PairingState, RelayStatus } from '../../src-shared/machines.ts';
import type { HostMessage } from '../../src-shared/protocol.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import type { Settings } from '../../src-shared/settings.ts';
import type { OperationHandlers } from '../engine/connection.ts';
import type { Logger } from '../logger.ts';
import { EmbeddedRelay } from './embedded-relay.ts';
import type { Pairings } from './pairings.ts';
import { addressForOthers, hostAndPort, isLocalUrl, isLoopback } from './relay-address.ts';
import { watchSleep } from './sleep-watch.ts';
import type { Synced, SyncedOptions } from './synced.ts';

export interface MachinesOptions extends Omit<SyncedOptions, 'relay' | 'onChange'> {
  /** Where the embedded relay keeps its state. */
  readonly dataFolder: string;
  readonly logger: Logger;
  readonly broadcast: (message: HostMessage) => void;
  /** What opens this machine's keys, given to the process when it was started. */
  readonly passphrase: string | null;
}

/** What is loaded once this machine is to be in a workspace: the crypto library and everything that syncs. */
interface Loaded {
  readonly synced: Synced;
  readonly pairings: Pairings;
}

/** The user's other machines: the workspace, pairing, the relay inside this engine, and what clients are told of them. */
export class Machines {
  readonly #options: MachinesOptions;
  readonly #embedded: EmbeddedRelay;
  readonly #startedAt = new Date().toISOString();
  #loading: Promise<Loaded> | null = null;
  #loaded: Loaded | null = null;
  #endSleepWatch = () => {};
  #isTelling = false;
  #isStopped = false;

  constructor(options: MachinesOptions) {
    this.#options = options;
    const { dataFolder: folder, logger, onNotice } = options;
    this.#embedded = new EmbeddedRelay({ folder, logger, onNotice, onChange: () => this.#relayChanged() });
  }

  /** Goes on where it stood. What keeps it from syncing is told, not thrown: sessions run without it. */
  async start(): Promise<void> {
    const { store, logger, onNotice } = this.#options;
    await this.#followRelay();
    if ((await store.getFact('workspace')) === null) return;
    try {
      await this.#load();
    } catch (error) {
      logger.error('syncing cannot start', { error });
      const reason = error instanceof Error ? error.message : String(error);
      onNotice(`This machine does not sync with the others: ${reason} Its own sessions are not affected.`);
    }
  }

  /** The settings are others. */
  async follow(): Promise<void> {
    if (this.#isStopped) return;
    await this.#followRelay();
    await this.#loaded?.synced.follow();
    this.#changed();
  }

  async sleep(): Promise<void> {
    await this.#loaded?.synced.sleep();
  }

  wake(): void {
    this.#loaded?.synced.wake();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    const loaded = await this.#loading?.catch(() => null);
    this.#endSleepWatch();
    loaded?.pairings.cancel();
    await loaded?.synced.stop();
    await this.#embedded.stop();
  }

  #followRelay(): Promise<void> {
    const settings = this.#options.settings();
    const { 'relay.host': host, 'relay.port': port } = settings;
    return this.#embedded.follow(settings['relay.embedded'] ? { host, port } : null);
  }

  #relayChanged(): void {
    this.#loaded?.synced.follow().catch((error: unknown) => this.#options.onProblem('the relay could not be changed', error));
    this.#changed();
  }

  #load(): Promise<Loaded> {
    if (this.#isStopped) throw new RefusalError('shutting-down', 'The engine is stopping.');
    this.#loading ??= this.#open().catch((error: unknown) => {
      this.#loading = null;
      throw error;
    });
    return this.#loading;
  }

  async #open(): Promise<Loaded> {
    const [{ Synced }, { Pairings }] = await Promise.all([import('./synced.ts'), import('./pairings.ts')]);
    const { broadcast, passphrase } = this.#options;
    const options: SyncedOptions = { ...this.#options, relay: () => this.#relayPlace(), onChange: () => this.#changed() };
    const synced = await Synced.open(options, passphrase);
    const onState = (state: PairingState) => broadcast({ type: 'pairing:changed', state });
    this.#endSleepWatch = watchSleep({ clock: SYSTEM_CLOCK, onWoke: () => this.wake() });
    this.#loaded = { synced, pairings: new Pairings({ ...options, synced, onState }) };
    // The relay of this machine starts meanwhile, and the settings may change: what came while this was opened was not heard.
    this.#relayChanged();
    return this.#loaded;
  }

  #relayPlace(): ReturnType<SyncedOptions['relay']> {
    const { 'relay.url': url, 'relay.announce': isAnnounced } = this.#options.settings();
    if (url !== '') {
      const isOnLan = isLocalUrl(url) && !isLoopback(new URL(url).hostname);
      return { url, key: null, lan: isAnnounced && isOnLan ? { announcePort: null } : null };
    }
    const serving = this.#embedded.serving;
    if (serving === null) return null;
    const { host, port, relayKey } = serving;
    return {
      // By the address that the others use: it is the one in the code, too.
      url: `ws://${hostAndPort(addressForOthers(host), port)}`,
      key: new Uint8Array(Buffer.from(relayKey, 'hex')),
      lan: isAnnounced && !isLoopback(host) ? { announcePort: port } : null,
    };
  }

  list(): MachineList {
    const synced = this.#loaded?.synced;
    return {
      workspace: synced?.about() ?? null,
      machines: synced?.machines() ?? [],
      relay: this.#relayStatus(),
    };
  }

  #relayStatus(): RelayStatus {
    const synced = this.#loaded?.synced;
    const settings = this.#options.settings();
    const url = synced?.relayUrl ?? this.#relayPlace()?.url ?? null;
    const link = synced?.linkState ?? null;
    const excluded = synced?.excluded ?? null;
    const at = (sinceMs: number | undefined) => (sinceMs === undefined ? this.#startedAt : new Date(sinceMs).toISOString());
    const state = excluded !== null ? 'refused' : link === null || link.is === 'stopped' ? 'off' : link.is;
    const why =
      excluded ?? (link !== null && 'why' in link ? link.why : null) ?? (state === 'off' ? this.#embedded.failure : null);
    return {
      url,
      state,
      since: at(link?.sinceMs),
      why,
      embedded: embeddedStatus(settings, this.#embedded),
      lan: url !== null && isLocalUrl(url),
    };
  }

  /** Told once for everything that changes in one turn. */
  #changed(): void {
    if (this.#isTelling || this.#isStopped) return;
    this.#isTelling = true;
    setImmediate(() => {
      this.#isTelling = false;
      if (!this.#isStopped) this.#options.broadcast({ type: 'machines:changed', ...this.list() });
    });
  }

  /** This machine's share of the one table of operations. */
  readonly operations: OperationHandlers = {
    'machines.list': async () => {
      // While it is starting it would look like none.
      await this.#loading?.catch(() => null);
      return this.list();
    },
    'machines.rename': async (params) => done((await this.#load()).synced.rename(params)),
    'machines.setRights': async (params) => done((await this.#load()).synced.setRights(params)),
    'machines.revoke': async ({ machineId }) => done((await this.#load()).synced.revoke(machineId)),
    'machines.unlock': async ({ passphrase }, { road }) => {
      if (road !== 'window' && road !== 'socket') {
        throw new RefusalError('not-allowed', 'A passphrase is only taken from a window or a command line on this machine.');
      }
      return done((await this.#load()).synced.unlock(passphrase));
    },
    'workspace.leave': async () => {
      const { synced, pairings } = await this.#load();
      pairings.cancel();
      return done(synced.leave());
    },
    'pairing.offer': async (params) => (await this.#load()).pairings.offer(params),
    'pairing.join': async (params) => done((await this.#load()).pairings.join(params)),
    'pairing.confirm': async (params) => done((await this.#load()).pairings.confirm(params)),
    'pairing.decline': async () => {
      this.#loaded?.pairings.decline();
      return {};
    },
    'pairing.cancel': async () => {
      this.#loaded?.pairings.cancel();
      return {};
    },
    'pairing.state': async () => ({ state: this.#loaded?.pairings.state ?? { is: 'none' } }),
    'relay.start': async ({ host }) => {
      await this.#options.setSettings({ 'relay.embedded': true, ...(host === undefined ? {} : { 'relay.host': host }) });
      await this.#followRelay();
      await this.#embedded.settled();
      const { failure } = this.#embedded;
      if (failure !== null)
        throw new RefusalError(
          'failed',
          `The relay does not run: ${failure}`,
          'It is tried again by itself. See relay.host and relay.port.',
        );
      await this.#loaded?.synced.follow();
      return this.#relayStatus();
    },
    'relay.stop': async () => {
      await this.#options.setSettings({ 'relay.embedded': false });
      await this.follow();
      return this.#relayStatus();
    },
  };
}

async function done(work: Promise<void>): Promise<Record<never, never>> {
  await work;
  return {};
}

function embeddedStatus(settings: Settings, embedded: EmbeddedRelay): RelayStatus['embedded'] {
  if (!settings['relay.embedded']) return null;
  const { serving } = embedded;
  const [host, port] = serving === null ? [settings['relay.host'], settings['relay.port']] : [serving.host, serving.port];
  const address = hostAndPort(isLoopback(host) ? host : addressForOthers(host), port);
  return { running: serving !== null, url: `ws://${address}`, address };
}
