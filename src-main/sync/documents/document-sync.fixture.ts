import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import * as Y from 'yjs';
import { SYSTEM_CLOCK } from '../../../src-shared/client.ts';
import type { RunId } from '../../../src-shared/ids.ts';
import { sessionDocument } from '../../../src-shared/workspace-documents.ts';
import { runIdOf } from '../../store/store.fixture.ts';
import { openStore, type Store } from '../../store/store.ts';
import { type SyncedMachine, SyncedMachines } from '../sync.fixture.ts';
import { DocumentSync, type KnownSessions } from './document-sync.ts';
import { Documents } from './documents.ts';

export const WITHIN = { timeout: 20_000, interval: 20 };

class TestSessions implements KnownSessions {
  readonly sessions = new Map<RunId, unknown>([[runIdOf(1), null]]);
  readonly #listeners = new Set<(session: { readonly runId: RunId }) => void>();
  onSession(listener: (session: { readonly runId: RunId }) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  add(runId: RunId): void {
    this.sessions.set(runId, null);
    for (const listener of this.#listeners) listener({ runId });
  }
}

/** A machine with its documents, in a folder of its own. */
export class Desk {
  readonly sessions = new TestSessions();
  readonly machine: SyncedMachine;
  readonly problems: string[] = [];
  readonly #folder: string;
  #store: Store | null = null;
  #documents: Documents | null = null;
  #sync: DocumentSync | null = null;

  constructor(machine: SyncedMachine, folder: string) {
    this.machine = machine;
    this.#folder = folder;
  }

  async open(): Promise<void> {
    this.#store = await openStore({ file: join(this.#folder, `${this.machine.signer.machine}.db`) });
    this.#documents = await Documents.open({
      store: this.#store,
      clock: SYSTEM_CLOCK,
      onProblem: (message) => this.problems.push(message),
    });
  }
  sync(): void {
    const { machine: context, documents, sessions } = this;
    this.#sync = new DocumentSync({ context, documents, sessions });
  }
  async close(): Promise<void> {
    await this.#sync?.stop();
    this.#sync = null;
    await this.#store?.close();
    this.#store = null;
  }

  get documents(): Documents {
    if (this.#documents === null) throw new Error('not open');
    return this.#documents;
  }
  get store(): Store {
    if (this.#store === null) throw new Error('not open');
    return this.#store;
  }
  async draft(runId = runIdOf(1)): Promise<string> {
    return (await this.documents.text(runId, 'draft')).text;
  }
  write(text: string, base: string | null = null, runId = runIdOf(1)): Promise<unknown> {
    return this.documents.setText(runId, 'draft', text, base);
  }
  /** Everything that was written here is at the relay, and everything there is here. */
  async synced(...names: string[]): Promise<void> {
    const all = names.length === 0 ? ['workspace', sessionDocument(runIdOf(1))] : names;
    for (const name of all) {
      await this.documents.load(name);
      await vi.waitFor(() => expect(this.#sync?.isSynced(name)).toBe(true), WITHIN);
    }
  }
  async state(name: string): Promise<string> {
    return Buffer.from(Y.encodeStateAsUpdate((await this.documents.load(name)).doc)).toString('hex');
  }
}

export class Desks {
  readonly machines: SyncedMachines;
  readonly all: readonly Desk[];
  readonly #folder: string;

  private constructor(machines: SyncedMachines, folder: string) {
    this.machines = machines;
    this.#folder = folder;
    this.all = machines.machines.map((machine) => new Desk(machine, folder));
  }

  /** So many machines; the first `syncing` of them take part from the start. */
  static async start(count: number, syncing = count): Promise<Desks> {
    const machines = await SyncedMachines.start(...Array.from({ length: count - 1 }, () => 'start' as const));
    const desks = new Desks(machines, await mkdtemp(join(tmpdir(), 'baton-desks-')));
    for (const desk of desks.all) await desk.open();
    for (const desk of desks.all.slice(0, syncing)) desk.sync();
    return desks;
  }

  at(index: number): Desk {
    const desk = this.all[index];
    if (desk === undefined) throw new Error(`there is no machine ${index}`);
    return desk;
  }

  /** Every change of everybody is with everybody, and the documents are the same to the byte. */
  async areEqual(name = sessionDocument(runIdOf(1)), desks: readonly Desk[] = this.all): Promise<void> {
    for (const desk of desks) await desk.synced(name);
    await vi.waitFor(async () => {
      const states = await Promise.all(desks.map((desk) => desk.state(name)));
      expect(new Set(states).size).toBe(1);
    }, WITHIN);
  }

  async dispose(): Promise<void> {
    for (const desk of this.all) await desk.close();
    await this.machines.dispose();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
