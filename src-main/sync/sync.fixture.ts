import { SYSTEM_CLOCK } from '../../src-shared/client.ts';
import type { Rights } from '../../src-shared/machines.ts';
import { type TestMachine, testWorkspace } from '../../src-shared/sim/workspace.ts';
import { RelayProcess } from '../relay/relay.fixture.ts';
import { openSocketWire } from '../socket-wire.ts';
import { Link } from './link/link.ts';
import type { SyncContext } from './sync-context.ts';

/** Machines of one workspace with their links to a real relay. */
export class SyncedMachines {
  readonly relay = new RelayProcess();
  readonly machines: readonly SyncedMachine[];

  private constructor(machines: readonly TestMachine[]) {
    this.machines = machines.map((machine) => new SyncedMachine(machine, this.relay));
  }

  /** The founder, and one for each of `others`. */
  static async start(...others: Rights[]): Promise<SyncedMachines> {
    const synced = new SyncedMachines(await testWorkspace(...others));
    await synced.relay.start();
    for (const machine of synced.machines) machine.connect();
    await Promise.all(synced.machines.map((machine) => machine.live()));
    return synced;
  }

  /** Every machine has this entry, and so has the relay. */
  async apply(entry: Uint8Array): Promise<void> {
    for (const machine of this.machines) machine.apply(entry);
    await this.machines[0]?.link.ask({ type: 'chain:append', entry });
  }

  async dispose(): Promise<void> {
    for (const machine of this.machines) machine.link.stop();
    await this.relay.dispose();
  }
}

/** A SyncContext whose chain the test writes. */
export class SyncedMachine implements SyncContext {
  readonly signer: TestMachine;
  readonly clock = SYSTEM_CLOCK;
  readonly problems: string[] = [];
  readonly #relay: RelayProcess;
  readonly #listeners = new Set<() => void>();
  #link: Link | null = null;
  #passCounter = 0;

  constructor(machine: TestMachine, relay: RelayProcess) {
    this.signer = machine;
    this.#relay = relay;
  }

  get membership() {
    return this.signer.membership;
  }
  get keyring() {
    return this.signer.keyring;
  }
  get link(): Link {
    if (this.#link === null) throw new Error('the machine has no link yet');
    return this.#link;
  }
  readonly onProblem = (message: string) => {
    this.problems.push(message);
  };

  /** `through`: the address of the line to the relay, where it is not the relay's own. */
  connect(through: string | null = null): void {
    this.#link = new Link({
      connect: () => openSocketWire(through ?? `ws://127.0.0.1:${this.#relay.port}`),
      signer: this.signer,
      workspace: this.membership.workspace,
      chain: () => this.signer.entries,
      relayKey: null,
      onFailure: (stream, error) => this.onProblem(`following ${stream} failed: ${String(error)}`),
    });
  }

  live(): Promise<void> {
    return new Promise((resolve) => {
      if (this.link.state.is === 'live') return resolve();
      const end = this.link.onState((state) => {
        if (state.is !== 'live') return;
        end();
        resolve();
      });
    });
  }

  apply(entry: Uint8Array): void {
    this.signer.apply(entry);
    for (const listener of this.#listeners) listener();
  }

  onMembership(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  nextPassCounter(): number {
    this.#passCounter += 1;
    return this.#passCounter;
  }
}
