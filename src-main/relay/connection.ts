import type { MachineId } from '../../src-shared/ids.ts';
import { MessageParts } from '../../src-shared/message-parts.ts';
import { CLOSE, type CloseReason } from '../../src-shared/refusal.ts';
import { encodeRelayMessage, type FromRelay, type RelayRefusal } from '../../src-shared/relay-protocol.ts';
import type { Wire } from '../../src-shared/wire.ts';
import type { Soon } from './commit-queue.ts';
import { Follows } from './follows.ts';
import type { RelayWorkspace } from './workspace.ts';

/** What passes is dropped for a machine that has so much waiting: it would come too late. */
const PASS_BUFFER_BYTES = 1024 * 1024;
/** With so much unread, answers included, a machine does not read at all. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/** Who is at the other end. Somebody new may prove itself, found a workspace or join a mailbox, and nothing else. */
export type Peer =
  | { readonly is: 'new' }
  | { readonly is: 'guest'; readonly mailbox: string }
  | { readonly is: 'machine'; readonly machine: MachineId; readonly workspace: RelayWorkspace };

export interface ConnectionOptions {
  readonly nonce: Uint8Array;
  readonly nowMs: number;
  readonly soon: Soon;
  readonly onFailure: (error: unknown) => void;
}

/** One wire as the relay sees it. */
export class Connection {
  readonly nonce: Uint8Array;
  readonly openedMs: number;
  readonly follows: Follows;
  /** Of what it sends. */
  readonly parts = new MessageParts();
  peer: Peer = { is: 'new' };
  lastHeardMs: number;
  /** Mailboxes that were not there, of those it asked for. */
  missedMailboxes = 0;
  readonly #wire: Wire;
  readonly #onFailure: (error: unknown) => void;
  #isClosed = false;

  constructor(wire: Wire, { nonce, nowMs, soon, onFailure }: ConnectionOptions) {
    this.#wire = wire;
    this.#onFailure = onFailure;
    this.nonce = nonce;
    this.openedMs = nowMs;
    this.lastHeardMs = nowMs;
    this.follows = new Follows(this, soon);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  send(message: FromRelay): void {
    if (this.#isClosed) return;
    if (this.#wire.bufferedBytes > MAX_BUFFERED_BYTES) {
      this.close(CLOSE.tooSlow);
      return;
    }
    this.#wire.send(encodeRelayMessage(message));
  }

  /** False where it was dropped. The frame is encoded once for all who get it. */
  pass(encoded: Uint8Array): boolean {
    if (this.#isClosed || this.#wire.bufferedBytes > PASS_BUFFER_BYTES || this.follows.isCrowded) return false;
    this.#wire.send(encoded);
    return true;
  }

  refuse(ask: number | null, why: RelayRefusal): void {
    this.send({ type: 'refused', ask, why });
  }

  /** What it follows cannot be read: it comes back, and until then nobody else is held up. */
  fail(error: unknown): void {
    this.#onFailure(error);
    this.close(CLOSE.failed);
  }

  close(why: CloseReason): void {
    this.#wire.close(why);
  }

  /** The wire is closed, whoever did it. */
  closed(): void {
    this.#isClosed = true;
    this.parts.clear();
    this.follows.clear();
  }
}
