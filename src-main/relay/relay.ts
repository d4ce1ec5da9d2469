import { applyEntry, type Membership } from '../../src-shared/membership.ts';
import { readEntry } from '../../src-shared/membership-entry.ts';
import { CLOSE, type CloseReason } from '../../src-shared/refusal.ts';
import {
  parseToRelay,
  RELAY_CLOSE,
  RELAY_PROTOCOL_VERSION,
  RELAY_SILENT_AFTER_MS,
  type RelayRefusal,
  type ToRelay,
} from '../../src-shared/relay-protocol.ts';
import { HASH_BYTES, type KeyPair, randomBytes, signKeysFrom } from '../../src-shared/seal.ts';
import type { Wire } from '../../src-shared/wire.ts';
import type { Logger } from '../logger.ts';
import { CommitQueue, type Soon } from './commit-queue.ts';
import { Connection } from './connection.ts';
import { Mailboxes } from './mailboxes.ts';
import { answer } from './requests.ts';
import type { RelayStorage } from './storage/storage.ts';
import { RelayWorkspace } from './workspace.ts';

export interface RelayLimits {
  /** How many workspaces it serves: the first that come. */
  readonly workspaces: number;
  /** Of batches, for each workspace. */
  readonly quotaBytes: number;
  readonly connections: number;
}

export const RELAY_LIMITS: RelayLimits = { workspaces: 1, quotaBytes: 20 * 1024 ** 3, connections: 1_000 };

const LOOK_EVERY_MS = 5_000;
/** Looking so late means that this machine slept: nobody else was silent. */
const SLEPT_AFTER_MS = 3 * LOOK_EVERY_MS;
/** To prove itself, or to join a mailbox. */
const STRANGER_MS = 10_000;

interface RelayOptions {
  readonly storage: RelayStorage;
  readonly logger: Logger;
  readonly limits?: RelayLimits;
  readonly nowMs?: () => number;
  /** Does something behind what is under way, before the loop waits. A simulation decides when. */
  readonly soon?: Soon;
}

/**
 * Stores and forwards what it cannot read. It knows wires, not sockets; everything it acknowledges is in the storage, and after a
 * restart it goes on from there. What it does for whom is decided by the membership chain that it keeps and checks like everybody else.
 */
export class Relay {
  readonly keys: KeyPair;
  readonly mailboxes = new Mailboxes();
  readonly storage: RelayStorage;
  readonly limits: RelayLimits;
  readonly nowMs: () => number;
  readonly #logger: Logger;
  readonly #soon: Soon;
  readonly #commits: CommitQueue;
  readonly #workspaces = new Map<string, RelayWorkspace>();
  readonly #connections = new Set<Connection>();
  readonly #looking: NodeJS.Timeout;
  #lookedMs: number;

  constructor({ storage, logger, limits = RELAY_LIMITS, nowMs = Date.now, soon = setImmediate }: RelayOptions) {
    this.storage = storage;
    this.limits = limits;
    this.nowMs = nowMs;
    this.#logger = logger;
    this.#soon = soon;
    this.keys = signKeysFrom(storage.relaySeed);
    this.#commits = new CommitQueue(storage, soon, (error) => logger.error('batches could not be written', { error }));
    for (const workspace of storage.workspaces()) this.#load(storage.chain(workspace));
    this.#lookedMs = nowMs();
    this.#looking = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#looking.unref();
  }

  workspace(id: string): RelayWorkspace | undefined {
    return this.#workspaces.get(id);
  }

  /** A chain from its first entry, from whoever has it: every entry is checked. */
  found(entries: readonly Uint8Array[]): RelayRefusal | null {
    // A stranger asks: what is free comes before what costs a signature for each entry.
    const [first] = entries;
    if (first === undefined) return 'entry-refused';
    if (this.#workspaces.has(readEntry(first)?.hash ?? '')) return 'workspace-exists';
    if (this.#workspaces.size >= this.limits.workspaces) return 'workspaces-full';
    const membership = membershipOf(entries);
    if (membership === null) return 'entry-refused';
    this.storage.addEntries(membership.workspace, 1, entries);
    this.#load(entries);
    this.#logger.info('workspace founded', { count: this.#workspaces.size });
    return null;
  }

  #load(entries: readonly Uint8Array[]): void {
    const membership = membershipOf(entries);
    if (membership === null) throw new Error('the stored membership does not hold together');
    const { quotaBytes } = this.limits;
    const workspace = new RelayWorkspace({ storage: this.storage, commits: this.#commits, quotaBytes, membership });
    this.#workspaces.set(workspace.id, workspace);
  }

  /** Takes over a new wire and speaks first. */
  attach(wire: Wire): void {
    if (this.#connections.size >= this.limits.connections && !this.#makeRoom()) {
      wire.close(CLOSE.tooMany);
      return;
    }
    const onFailure = (error: unknown) => this.#logger.error('a stream could not be read', { error });
    const options = { nonce: randomBytes(HASH_BYTES), nowMs: this.nowMs(), soon: this.#soon, onFailure };
    const connection = new Connection(wire, options);
    this.#connections.add(connection);
    wire.onClose = (why) => this.#gone(connection, why);
    wire.onFrame = (frame) => this.#receive(connection, frame);
    const { nonce } = connection;
    connection.send({ type: 'challenge', version: RELAY_PROTOCOL_VERSION, nonce, relayKey: this.keys.publicKey });
  }

  /** Who has been there longest without proving anything goes for whoever comes: a member proves itself in a moment. */
  #makeRoom(): boolean {
    for (const connection of this.#connections) {
      if (connection.peer.is !== 'new') continue;
      connection.close(CLOSE.tooMany);
      return true;
    }
    return false;
  }

  #receive(connection: Connection, frame: Uint8Array): void {
    if (connection.isClosed) return;
    connection.lastHeardMs = this.nowMs();
    let message: ToRelay;
    try {
      message = parseToRelay(frame);
    } catch {
      this.#logger.info('malformed frame', { bytes: frame.byteLength });
      connection.close(CLOSE.malformedFrame);
      return;
    }
    try {
      answer(this, connection, message);
    } catch (error) {
      // The disk: what was asked did not happen, and whoever asked is told. The state in memory follows the disk.
      this.#logger.error('a request failed', { operation: message.type, error });
      if ('ask' in message && message.ask !== null) connection.refuse(message.ask, 'storage-failed');
      else connection.close(CLOSE.failed);
    }
  }

  /** A machine has proved who it is. */
  enter(connection: Connection, workspace: RelayWorkspace): void {
    if (connection.peer.is !== 'machine') return;
    const { machine } = connection.peer;
    const before = workspace.connected.get(machine);
    if (before !== undefined) {
      workspace.leave(before);
      before.close(RELAY_CLOSE.elsewhere);
    }
    workspace.connected.set(machine, connection);
    workspace.tellSeen(machine, true, this.nowMs());
    this.#logger.info('machine connected', { count: workspace.connected.size });
  }

  /** Cuts whoever is no member any more, at once. */
  cutRemoved(workspace: RelayWorkspace): void {
    for (const [machine, connection] of [...workspace.connected]) {
      if (workspace.membership.members.get(machine)?.revokedHeight === null) continue;
      connection.close(RELAY_CLOSE.removed);
    }
  }

  #gone(connection: Connection, why: CloseReason): void {
    if (!this.#connections.delete(connection)) return;
    this.mailboxes.gone(connection);
    if (connection.peer.is === 'machine') {
      const { machine, workspace } = connection.peer;
      const wasItsOnly = workspace.connected.get(machine) === connection;
      workspace.leave(connection);
      if (wasItsOnly) this.#tellGone(workspace, connection);
    }
    connection.closed();
    this.#logger.info('connection closed', { code: String(why.code) });
  }

  #tellGone(workspace: RelayWorkspace, connection: Connection): void {
    if (connection.peer.is !== 'machine') return;
    try {
      workspace.tellSeen(connection.peer.machine, false, this.nowMs());
    } catch (error) {
      this.#logger.error('when a machine was seen could not be written', { error });
    }
  }

  /** What time brings about: silent ends, strangers, mailboxes. */
  look(): void {
    const now = this.nowMs();
    const slept = now - this.#lookedMs > SLEPT_AFTER_MS;
    this.#lookedMs = now;
    this.mailboxes.expire(now);
    for (const connection of [...this.#connections]) {
      if (slept) connection.lastHeardMs = now;
      if (now - connection.lastHeardMs >= RELAY_SILENT_AFTER_MS) connection.close(CLOSE.silent);
      else if (connection.peer.is === 'new' && now - connection.openedMs >= STRANGER_MS) connection.close(RELAY_CLOSE.notProven);
    }
  }

  /** Everything that was taken is on the disk, and everybody is told to come back. */
  close(): void {
    clearInterval(this.#looking);
    this.#commits.flush();
    for (const connection of [...this.#connections]) connection.close(CLOSE.shuttingDown);
    this.storage.close();
  }
}

function membershipOf(entries: readonly Uint8Array[]): Membership | null {
  let membership: Membership | null = null;
  for (const entry of entries) {
    const applied = applyEntry(membership, entry);
    if (applied.is !== 'applied') return null;
    membership = applied.membership;
  }
  return membership;
}
