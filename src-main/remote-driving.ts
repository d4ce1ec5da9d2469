import { SYSTEM_CLOCK } from '../src-shared/client.ts';
import type { Settings } from '../src-shared/settings.ts';
import type { OperationHandlers } from './engine/connection.ts';
import type { Engine } from './engine/engine.ts';
import type { Store } from './store/store.ts';
import type { Outbox } from './sync/outbox.ts';
import type { StartSyncPart, SyncPart } from './sync/sync-context.ts';

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
  #outbox: Outbox | null = null;

  constructor(options: RemoteDrivingOptions) {
    this.#options = options;
  }

  readonly start: StartSyncPart = async (context) => {
    const [{ Driving }, { DrivingHost }, { Outbox }, { Peers }] = await Promise.all([
      import('./sync/driving.ts'),
      import('./sync/driving-host.ts'),
      import('./sync/outbox.ts'),
      import('./sync/peers.ts'),
    ]);
    const { store, settings, onProblem } = this.#options;
    const engine = this.#options.engine();
    if (engine === null) throw new Error('sessions are driven in an engine');
    const broadcast: Engine['broadcast'] = (message) => engine.broadcast(message);
    const remote = (runId: Parameters<Engine['session']>[0]) => engine.remote.all.get(runId);
    const target = (runId: Parameters<Engine['session']>[0]) => remote(runId)?.target ?? null;
    this.#outbox ??= await Outbox.open({ store, clock: SYSTEM_CLOCK, target, broadcast, onProblem });
    const peers = new Peers(context);
    const driving = new Driving({ context, peers, outbox: this.#outbox, remote, broadcast });
    const host = new DrivingHost({
      context,
      peers,
      hosted: (runId) => engine.hosted.get(runId),
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
    'outbox.list': async () => ({ items: this.#outbox?.list() ?? [] }),
    'outbox.cancel': async ({ inputId }) => {
      this.#outbox?.cancel(inputId);
      return {};
    },
  };
}
