import { SYSTEM_CLOCK } from '../../src-shared/client.ts';
import type { RunId } from '../../src-shared/ids.ts';
import type { Settings } from '../../src-shared/settings.ts';
import type { OperationHandlers } from '../engine/connection.ts';
import type { Engine } from '../engine/engine.ts';
import type { Store } from '../store/store.ts';
import type { Outbox } from '../sync/passing/outbox.ts';
import type { StartSyncPart, SyncPart } from '../sync/sync-context.ts';

export interface RemoteDrivingOptions {
  readonly store: Store;
  readonly engine: () => Engine | null;
  readonly settings: () => Settings;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** Driving sessions on other machines, and being driven by them, while this machine is in a workspace. */
export class RemoteDriving {
  readonly #options: RemoteDrivingOptions;
  /** It outlasts the connection to the others: clients wait for what is in it. */
  #opening: Promise<Outbox> | null = null;

  constructor(options: RemoteDrivingOptions) {
    this.#options = options;
  }

  #outbox(): Promise<Outbox> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<Outbox> {
    const { Outbox } = await import('../sync/passing/outbox.ts');
    const { store, onProblem } = this.#options;
    const engine = this.#engine();
    const target = (runId: RunId) => engine.remote.all.get(runId)?.target ?? null;
    return await Outbox.open({ store, clock: SYSTEM_CLOCK, target, broadcast: (it) => engine.broadcast(it), onProblem });
  }

  #engine(): Engine {
    const engine = this.#options.engine();
    if (engine === null) throw new Error('sessions are driven in an engine');
    return engine;
  }

  readonly start: StartSyncPart = async (context) => {
    const [{ Driving }, { DrivingHost }, { Peers }, outbox] = await Promise.all([
      import('../sync/passing/driving.ts'),
      import('../sync/passing/driving-host.ts'),
      import('../sync/passing/peers.ts'),
      this.#outbox(),
    ]);
    const { settings } = this.#options;
    const engine = this.#engine();
    const peers = new Peers(context);
    const driving = new Driving({
      context,
      peers,
      outbox,
      remote: (runId) => engine.remote.all.get(runId),
      broadcast: (message) => engine.broadcast(message),
    });
    const host = new DrivingHost({
      context,
      peers,
      hosted: (runId) => engine.hosted.get(runId),
      onLog: (listener) => engine.onLog(listener),
      perform: (operation, params, caller) => engine.perform(operation, params, caller),
      allows: () => settings()['machines.allow'],
    });
    engine.remote.drive = driving;
    return {
      stop: () => {
        engine.remote.drive = null;
        driving.stop();
        host.stop();
        peers.stop();
      },
    } satisfies SyncPart;
  };

  readonly operations: OperationHandlers = {
    'outbox.list': async () => ({ items: (await this.#outbox()).list() }),
    'outbox.cancel': async ({ inputId }) => {
      (await this.#outbox()).cancel(inputId);
      return {};
    },
  };
}
