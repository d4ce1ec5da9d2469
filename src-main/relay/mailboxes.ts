import { MAX_PAIRING_MESSAGE_BYTES, PAIRING_MS } from '../../src-shared/pairing.ts';
import type { RelayRefusal } from '../../src-shared/relay-protocol.ts';
import type { Connection } from './connection.ts';

const MAX_MAILBOXES = 1_000;
const MAX_OF_ONE_MACHINE = 4;
/** A pairing takes four. */
const MAX_MESSAGES = 32;

interface Mailbox {
  readonly owner: Connection;
  readonly openedMs: number;
  guest: Connection | null;
  messages: number;
}

/**
 * Where a machine that belongs to a workspace meets one that does not yet. Opened by a machine, for one guest, in memory only: it ends
 * after the time of a pairing, or when either end goes. What is said in it means nothing to the relay.
 */
export class Mailboxes {
  readonly #open = new Map<string, Mailbox>();

  open(name: string, owner: Connection, nowMs: number): RelayRefusal | null {
    if (this.#open.has(name)) return 'mailbox-taken';
    const own = [...this.#open.values()].filter((mailbox) => mailbox.owner === owner);
    if (own.length >= MAX_OF_ONE_MACHINE || this.#open.size >= MAX_MAILBOXES) return 'too-many';
    this.#open.set(name, { owner, openedMs: nowMs, guest: null, messages: 0 });
    return null;
  }

  join(name: string, guest: Connection): RelayRefusal | null {
    const mailbox = this.#open.get(name);
    if (mailbox === undefined) return 'unknown-mailbox';
    if (mailbox.guest !== null) return 'mailbox-taken';
    mailbox.guest = guest;
    mailbox.owner.send({ type: 'mailbox:joined', mailbox: name });
    return null;
  }

  say(name: string, from: Connection, message: Uint8Array): void {
    const mailbox = this.#open.get(name);
    if (mailbox === undefined || (mailbox.owner !== from && mailbox.guest !== from)) return;
    const to = mailbox.owner === from ? mailbox.guest : mailbox.owner;
    if (to === null || ++mailbox.messages > MAX_MESSAGES || message.byteLength > MAX_PAIRING_MESSAGE_BYTES)
      this.#end(name, mailbox);
    else to.send({ type: 'mailbox:said', mailbox: name, message });
  }

  close(name: string, by: Connection): void {
    const mailbox = this.#open.get(name);
    if (mailbox !== undefined && (mailbox.owner === by || mailbox.guest === by)) this.#end(name, mailbox);
  }

  gone(connection: Connection): void {
    for (const [name, mailbox] of this.#open) {
      if (mailbox.owner === connection || mailbox.guest === connection) this.#end(name, mailbox);
    }
  }

  expire(nowMs: number): void {
    for (const [name, mailbox] of this.#open) if (nowMs - mailbox.openedMs >= PAIRING_MS) this.#end(name, mailbox);
  }

  #end(name: string, { owner, guest }: Mailbox): void {
    this.#open.delete(name);
    owner.send({ type: 'mailbox:closed', mailbox: name });
    if (guest === null) return;
    guest.peer = guest.peer.is === 'guest' ? { is: 'new' } : guest.peer;
    guest.send({ type: 'mailbox:closed', mailbox: name });
  }
}
