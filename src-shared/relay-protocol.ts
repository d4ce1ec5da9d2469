import * as z from 'zod/mini';
import { MachineId, Timestamp } from './ids.ts';
import type { BatchRefusal } from './receive-batch.ts';
import { concat, HASH_BYTES, KEY_BYTES, SIGNATURE_BYTES } from './seal.ts';
import { MAX_BATCH_BYTES } from './sealed-batch.ts';
import { decodeValue, encodeValue, parseAs } from './values.ts';

/**
 * Every message between a machine and a relay. The relay speaks first (`challenge`); a machine proves itself, and from then on appends
 * batches, follows streams and hears of the membership chain. One frame is one message, encoded like those of protocol.ts.
 */
export const RELAY_PROTOCOL_VERSION = 1;
/** The largest honest message is one batch or one page of the chain. */
export const MAX_RELAY_FRAME_BYTES = MAX_BATCH_BYTES + 1024;
/** Bytes that a machine may let be on their way to it at a time, of what costs credit. It has none until it gives `credit`. */
export const FOLLOW_WINDOW_BYTES = 1024 * 1024;
/** Entries of the chain in one message; one of them may be as large. */
export const MAX_CHAIN_PAGE_BYTES = 64 * 1024;
/** Of a stream that is read page by page; one batch may be larger. */
export const MAX_STREAM_PAGE_BYTES = 256 * 1024;
/** Machines, live and removed, of which a relay says when they were there. */
export const MAX_SEEN_MACHINES = 10_000;
/** Pages that a machine may wait for at a time. */
export const MAX_PAGES_WAITING = 16;
/**
 * What can wait, by what it is for: streams that somebody watches; everything else. What is typed, asked and answered is in no lane: it
 * goes at once.
 */
export const LANES = ['watch', 'rest'] as const;
export type Lane = (typeof LANES)[number];
/**
 * What is larger goes in parts where there is no room for all of it: one message at a time in each lane, with everything else in
 * between. Each part but the last has so much at least.
 */
export const MIN_PART_BYTES = 16 * 1024;
/** Streams that go with one request. */
export const MAX_REMOVED_AT_ONCE = 64;
export const PING_EVERY_MS = 10_000;
/** Without any frame for so long the other end is gone, whatever the socket says. */
export const RELAY_SILENT_AFTER_MS = 25_000;

/** Why a relay closes, beside what refusal.ts has for every wire. */
export const RELAY_CLOSE = {
  removed: { code: 4410, reason: 'this machine was removed from the workspace' },
  elsewhere: { code: 4411, reason: 'this machine has connected again' },
  notProven: { code: 4412, reason: 'no proof of who is there' },
} as const;

const bytes = (length: number) => z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.byteLength === length);
const someBytes = (maxLength: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.byteLength > 0 && value.byteLength <= maxLength);
const hex = (length: number) => z.string().check(z.regex(new RegExp(`^[0-9a-f]{${length * 2}}$`)));
const Count = z.int().check(z.nonnegative());
const Stream = hex(16);
const Mailbox = hex(16);
/** A number of the sender's by which it knows the answer. */
const Ask = z.int().check(z.positive());
const Frame = someBytes(MAX_BATCH_BYTES);
const Entries = z.array(someBytes(64 * 1024));
const Lane = z.enum(LANES);
/** `bytes` of an encoded message from `from` on, of `of` in all. */
const Part = { lane: Lane, from: Count, of: Count, bytes: someBytes(MAX_BATCH_BYTES) };
export type MessagePart = z.infer<z.ZodMiniObject<typeof Part>>;

export const ToRelay = z.discriminatedUnion('type', [
  /** `nonce`: for the relay to sign; `signature`: over handshakeBytes. */
  z.strictObject({
    type: z.literal('prove'),
    version: z.int(),
    workspace: hex(HASH_BYTES),
    machine: MachineId,
    nonce: bytes(HASH_BYTES),
    signature: bytes(SIGNATURE_BYTES),
  }),
  /** Gives the relay a chain from its first entry: a new workspace, or one that this relay has lost. */
  z.strictObject({ type: z.literal('found'), ask: Ask, entries: Entries }),
  z.strictObject({ type: z.literal('chain:read'), ask: Ask, after: Count }),
  z.strictObject({ type: z.literal('chain:append'), ask: Ask, entry: someBytes(64 * 1024) }),
  /** `release`: with this batch the session goes over to another machine. `ask` is null where no answer is wanted. */
  z.strictObject({
    type: z.literal('batch'),
    ask: z.nullable(Ask),
    frame: Frame,
    release: z.nullable(z.strictObject({ to: MachineId, signature: bytes(SIGNATURE_BYTES) })),
  }),
  /** Of a `batch`. Each is answered when it has come; the batch, with its own `ask`, when it is stored. */
  z.strictObject({ type: z.literal('part'), ask: Ask, ...Part }),
  /** Everything after a position, and what comes from then on. Following again moves the cursor. */
  z.strictObject({ type: z.literal('follow'), stream: Stream, after: Count, lane: Lane }),
  z.strictObject({ type: z.literal('unfollow'), stream: Stream }),
  /** So many bytes more may be sent, see creditCost. */
  z.strictObject({ type: z.literal('credit'), bytes: Count }),
  z.strictObject({ type: z.literal('stream:read'), ask: Ask, stream: Stream }),
  /** A page of what is stored after a position, beside whatever is followed: how a reader that began at the end gets the rest. */
  z.strictObject({ type: z.literal('stream:page'), ask: Ask, stream: Stream, after: Count }),
  /**
   * What these streams hold goes, for good: nothing is stored under their names again. All of them or none. Asked for by a stream's holder
   * or only writer, or by a machine with the right to start.
   */
  z.strictObject({
    type: z.literal('streams:remove'),
    ask: Ask,
    streams: z.array(Stream).check(z.minLength(1), z.maxLength(MAX_REMOVED_AT_ONCE)),
  }),
  /** Takes a session over from epoch `epoch`. `signature`: over leaseBytes. */
  z.strictObject({ type: z.literal('lease:take'), ask: Ask, stream: Stream, epoch: Count, signature: bytes(SIGNATURE_BYTES) }),
  z.strictObject({ type: z.literal('mailbox:open'), ask: Ask, mailbox: Mailbox }),
  z.strictObject({ type: z.literal('mailbox:join'), ask: Ask, mailbox: Mailbox }),
  z.strictObject({ type: z.literal('mailbox:say'), mailbox: Mailbox, message: someBytes(8 * 1024) }),
  z.strictObject({ type: z.literal('mailbox:close'), mailbox: Mailbox }),
  z.strictObject({ type: z.literal('ping') }),
]);
export type ToRelay = z.infer<typeof ToRelay>;

/** Why the relay refuses: the checks of batches, and its own. */
const RELAY_REFUSALS = {
  malformed: 'The relay does not understand this.',
  'unknown-machine': 'The relay does not know this machine in this workspace.',
  revoked: 'This machine was removed from the workspace.',
  'not-allowed': 'This machine’s rights do not cover this.',
  'unknown-head': 'The relay does not have the newest entries of the membership yet.',
  forked: 'There are two histories of the membership.',
  'wrong-generation': 'This was sealed with an older workspace key. Read the membership and seal it again.',
  fenced: 'Another machine has taken the session over.',
  'not-holder': 'Another machine holds the session.',
  gap: 'What comes before this is missing at the relay.',
  replayed: 'The relay has newer batches of this machine.',
  'counter-reused': 'Another computer uses the keys of this machine.',
  'bad-signature': 'The signature is not this machine’s.',
  'no-key': 'The key is not here.',
  damaged: 'The batch is damaged.',
  'unknown-workspace': 'The relay does not have this workspace.',
  'workspace-exists': 'The relay has this workspace already.',
  'workspaces-full': 'The relay serves other workspaces and takes no more. Start it with a higher --workspaces.',
  'entry-refused': 'The entry does not fit the membership. Read the membership and make it again.',
  'wrong-kind': 'The stream holds batches of another kind.',
  'unknown-stream': 'The relay does not have this stream.',
  removed: 'What this belongs to was deleted.',
  'epoch-taken': 'The session has another epoch by now.',
  'unknown-mailbox': 'No machine waits under this code, or no longer.',
  'mailbox-taken': 'Somebody else uses this code.',
  'too-many': 'The relay keeps no more of these at a time.',
  quota: 'The workspace has used up its space at the relay.',
  'storage-failed': 'The relay could not write to its disk.',
} as const satisfies Record<BatchRefusal, string> & Record<string, string>;
export type RelayRefusal = keyof typeof RELAY_REFUSALS;
const RelayRefusal = z.enum(Object.keys(RELAY_REFUSALS) as [RelayRefusal, ...RelayRefusal[]]);

/** One sentence for people. */
export function relayRefusalText(why: RelayRefusal): string {
  return RELAY_REFUSALS[why];
}

const MachineSeen = z.strictObject({ machine: MachineId, online: z.boolean(), seenAtMs: Timestamp.check(z.nonnegative()) });
export type MachineSeen = z.infer<typeof MachineSeen>;

export const FromRelay = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('challenge'),
    version: z.int(),
    nonce: bytes(HASH_BYTES),
    relayKey: bytes(KEY_BYTES),
  }),
  /** `incarnation` changes when the relay has lost its state: cursors are void then. `signature`: the relay's, over handshakeBytes. */
  z.strictObject({
    type: z.literal('welcome'),
    signature: bytes(SIGNATURE_BYTES),
    incarnation: z.string(),
    height: Count,
    head: hex(HASH_BYTES),
    machines: z.array(MachineSeen).check(z.maxLength(MAX_SEEN_MACHINES)),
  }),
  z.strictObject({ type: z.literal('refused'), ask: z.nullable(Ask), why: RelayRefusal }),
  z.strictObject({ type: z.literal('done'), ask: Ask }),
  /** It lies on the relay's disk, at this position of its stream. */
  z.strictObject({ type: z.literal('stored'), ask: Ask, position: Count }),
  /** To so many machines. */
  z.strictObject({ type: z.literal('passed'), ask: Ask, receivers: Count }),
  /** `ask` is null where entries are new. `height`: the chain's, so that a reader knows whether there is more. */
  z.strictObject({ type: z.literal('chain'), ask: z.nullable(Ask), entries: Entries, height: Count }),
  /** `own`: the newest batch of the asking machine in it, of each kind. */
  z.strictObject({
    type: z.literal('stream'),
    ask: Ask,
    epoch: Count,
    holder: z.nullable(MachineId),
    lastSeq: Count,
    lastPosition: Count,
    own: z.array(z.strictObject({ kind: z.string(), counter: Count, hash: hex(HASH_BYTES) })),
  }),
  /** About MAX_STREAM_PAGE_BYTES of them, in order; at least one, if there is one. */
  z.strictObject({
    type: z.literal('page'),
    ask: Ask,
    batches: z.array(z.strictObject({ position: Count, frame: Frame })),
  }),
  z.strictObject({ type: z.literal('leased'), ask: Ask, epoch: Count }),
  /** Somebody holds the session under a new epoch. Sent to who followed it and to who held it. */
  z.strictObject({ type: z.literal('lease'), stream: Stream, epoch: Count, holder: MachineId }),
  /** `position` is null for what passes and is not kept. */
  z.strictObject({ type: z.literal('batch'), stream: Stream, position: z.nullable(Count), frame: Frame }),
  /** Of a message that costs credit, where there was no room for all of it. */
  z.strictObject({ type: z.literal('part'), ...Part }),
  /** What was begun in this lane does not go on: nobody follows its stream any more. */
  z.strictObject({ type: z.literal('dropped'), lane: Lane }),
  /** Everything up to here was sent: the end of the stream at the relay. */
  z.strictObject({ type: z.literal('caught-up'), stream: Stream, position: Count }),
  z.strictObject({ type: z.literal('machine'), seen: MachineSeen }),
  z.strictObject({ type: z.literal('mailbox:joined'), mailbox: Mailbox }),
  z.strictObject({ type: z.literal('mailbox:said'), mailbox: Mailbox, message: someBytes(8 * 1024) }),
  z.strictObject({ type: z.literal('mailbox:closed'), mailbox: Mailbox }),
  z.strictObject({ type: z.literal('pong') }),
]);
export type FromRelay = z.infer<typeof FromRelay>;

/**
 * What of a message is paid for with credit: what is stored and large waits for it, what passes and is large does not, but is in the way
 * of others as much.
 */
export function creditCost(message: FromRelay): number {
  if (message.type === 'part') return message.bytes.byteLength;
  if (message.type === 'page') return message.batches.reduce((sum, { frame }) => sum + frame.byteLength, 0);
  return message.type === 'batch' ? batchCost(message) : 0;
}

export function batchCost({ position, frame }: { readonly position: number | null; readonly frame: Uint8Array }): number {
  return position === null && frame.byteLength <= MIN_PART_BYTES ? 0 : frame.byteLength;
}

export function encodeRelayMessage(message: ToRelay | FromRelay): Uint8Array {
  return encodeValue(message);
}

function decode(frame: Uint8Array): unknown {
  if (frame.byteLength > MAX_RELAY_FRAME_BYTES) throw new Error(`frame of ${frame.byteLength} bytes`);
  return decodeValue(frame);
}

/** The door of the relay. Throws on anything that is not a message; the caller closes that wire only. */
export function parseToRelay(frame: Uint8Array): ToRelay {
  return parseAs(ToRelay, decode(frame));
}

/** The door of a machine. Throws on anything that is not a message of a relay. */
export function parseFromRelay(frame: Uint8Array): FromRelay {
  return parseAs(FromRelay, decode(frame));
}

const utf8 = new TextEncoder();

/** What both ends sign when a machine connects: it binds the machine to this relay and this one connection. */
export function handshakeBytes(shake: {
  readonly relayKey: Uint8Array;
  readonly relayNonce: Uint8Array;
  readonly machineNonce: Uint8Array;
  readonly workspace: string;
  readonly machine: MachineId;
}): Uint8Array {
  return concat(shake.relayKey, shake.relayNonce, shake.machineNonce, utf8.encode(`${shake.workspace} ${shake.machine}`));
}

/** What a machine signs to give or take a session; `relayNonce` makes it worth nothing on another connection. */
export function leaseBytes(lease: {
  readonly relayNonce: Uint8Array;
  readonly stream: string;
  readonly epoch: number;
  readonly holder: MachineId;
}): Uint8Array {
  return concat(lease.relayNonce, utf8.encode(`${lease.stream} ${lease.epoch} ${lease.holder}`));
}
