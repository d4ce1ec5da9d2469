import { expect, vi } from 'vitest';
import type { RunId } from '../../../src-shared/ids.ts';
import type { Rights } from '../../../src-shared/machines.ts';
import { type Ground, ground } from '../../engine/engine.fixture.ts';
import { type SyncedMachine, SyncedMachines } from '../sync.fixture.ts';
import type { SyncPart } from '../sync-context.ts';
import { replication } from './replication.ts';

export const WITHIN = { timeout: 30_000, interval: 50 };

/** One machine with a whole engine that takes part in replication. */
export class Side {
  here: Ground;
  machine: SyncedMachine;
  readonly notices: string[] = [];
  #part: SyncPart | null = null;

  constructor(here: Ground, machine: SyncedMachine) {
    this.here = here;
    this.machine = machine;
  }

  async start(): Promise<void> {
    const { engine, store } = this.here;
    const name = `machine ${this.machine.signer.machine.slice(-2)}`;
    const start = replication({
      engine,
      store,
      about: () => ({ name, version: '0', platform: 'test' }),
      onNotice: (message) => this.notices.push(message),
    });
    this.#part = await start(this.machine, () => {});
  }

  get part(): SyncPart {
    if (this.#part === null) throw new Error('it does not run');
    return this.#part;
  }

  async stop(): Promise<void> {
    await this.#part?.stop();
    this.#part = null;
  }

  /** As killed, and started anew with the same data. */
  async restart(): Promise<void> {
    // The dead process says nothing any more, and its link is gone.
    this.machine.link.stop();
    await this.stop();
    this.here = await this.here.crash();
    this.machine.connect();
    await this.start();
  }

  /** This machine's log of a session comes to the same hash as the other one's, and is whole. */
  async hasAllOf(other: Side, runId: RunId): Promise<void> {
    await vi.waitFor(async () => {
      const hosted = other.here.engine.session(runId).log.published.seq;
      expect(this.here.engine.sessions.get(runId)?.log.published.seq).toBe(hosted);
    }, WITHIN);
    const [mine, theirs] = await Promise.all([this.here.store.verify(runId), other.here.store.verify(runId)]);
    expect(mine).toEqual(theirs);
    expect(mine.ok).toBe(true);
  }
}

export class Sides {
  readonly synced: SyncedMachines;
  readonly all: readonly Side[];

  private constructor(synced: SyncedMachines, grounds: readonly Ground[]) {
    this.synced = synced;
    this.all = grounds.map((here, index) => new Side(here, synced.machines[index] as SyncedMachine));
  }

  /** The founder's, and one for each of `others`. */
  static async start(...others: Rights[]): Promise<Sides> {
    const synced = await SyncedMachines.start(...others);
    const sides = new Sides(synced, await Promise.all(synced.machines.map(() => ground())));
    for (const side of sides.all) await side.start();
    return sides;
  }

  at(index: number): Side {
    const side = this.all[index];
    if (side === undefined) throw new Error(`there is no machine ${index}`);
    return side;
  }

  /** The relay is there again: nobody waits for the delay before the next attempt. */
  async reconnected(): Promise<void> {
    for (const { machine } of this.all) machine.link.retryNow();
    await Promise.all(this.all.map(({ machine }) => machine.live()));
  }

  async dispose(): Promise<void> {
    for (const side of this.all) await side.stop();
    await this.synced.dispose();
    await Promise.all(this.all.map(({ here }) => here.dispose()));
  }
}
