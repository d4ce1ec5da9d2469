import * as z from 'zod/mini';
import { cleanName, MAX_NAME_LENGTH } from './clean-text.ts';
import { MachineId } from './ids.ts';
import { Rights } from './machines.ts';
import type { Newcomer } from './membership-keys.ts';
import { agree, concat, decrypt, digest, encrypt, isSame, type KeyPair, makeBoxKeys, randomBytes, toHex } from './seal.ts';

/**
 * How a machine is let in: both sides as pure state machines. They share a one-time secret that a person carries, and talk through a
 * mailbox at the relay, which may do with the messages what it likes.
 *
 *   newcomer → member   commit: hash of (its ephemeral key, its nonce)
 *   member → newcomer   answer: ephemeral key, nonce
 *   newcomer → member   reveal: ephemeral key, nonce, and sealed: who it is
 *   both show six digits; a person compares them and confirms at the member
 *   member → newcomer   verdict, sealed: the workspace, or no
 *
 * Each message is authenticated with the secret and everything before it. The commitment is why even somebody who has got hold of
 * the secret cannot stand between the two and choose keys until the digits agree.
 */
export const PAIRING_MS = 5 * 60_000;
/** Messages that do not fit, of whoever sends them, before the code is given up. */
export const MAX_BAD_MESSAGES = 3;
export const MAX_PAIRING_MESSAGE_BYTES = 8 * 1024;

const NONCE_BYTES = 16;
const KEY_BYTES = 32;
const MAC_BYTES = 32;
const CODES = { commit: 1, answer: 2, reveal: 3, verdict: 4 } as const;
type MessageName = keyof typeof CODES;

const utf8 = new TextEncoder();
const NOTHING = new Uint8Array();
const Hex32 = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const NewcomerShape: z.ZodMiniType<Newcomer> = z.strictObject({
  machine: MachineId,
  signKey: Hex32,
  boxKey: Hex32,
  // A character may take two units.
  name: z.string().check(z.minLength(1), z.maxLength(2 * MAX_NAME_LENGTH)),
});

/** What a newcomer needs to find and check its workspace: the chain at the relay has to begin and to go on like this. */
export const PairingWelcome = z.strictObject({
  workspace: Hex32,
  chainHead: Hex32,
  relayKey: Hex32,
  rights: Rights,
});
export type PairingWelcome = z.infer<typeof PairingWelcome>;
const Verdict = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('welcome'), welcome: PairingWelcome }),
  z.strictObject({ is: z.literal('declined') }),
]);

export type PairingFailure = 'expired' | 'too-many-attempts' | 'declined' | 'tampered';

interface Talk {
  readonly macKey: Uint8Array;
  /** Hash over everything said so far. */
  readonly transcript: Uint8Array;
  readonly expiresAtMs: number;
}

export type MemberState =
  | (Talk & { readonly is: 'waiting'; readonly badMessages: number })
  | (Talk & {
      readonly is: 'answered';
      readonly badMessages: number;
      readonly commitment: Uint8Array;
      readonly ephemeral: KeyPair;
    })
  | (Talk & { readonly is: 'comparing'; readonly key: Uint8Array; readonly newcomer: Newcomer; readonly digits: string })
  /** The person said yes: the entry can be made. */
  | (Talk & { readonly is: 'confirmed'; readonly key: Uint8Array; readonly newcomer: Newcomer; readonly rights: Rights })
  | { readonly is: 'done' }
  | { readonly is: 'failed'; readonly why: PairingFailure };

export type NewcomerState =
  | (Talk & { readonly is: 'committed'; readonly newcomer: Newcomer; readonly ephemeral: KeyPair; readonly nonce: Uint8Array })
  | (Talk & { readonly is: 'comparing'; readonly key: Uint8Array; readonly digits: string })
  | { readonly is: 'joined'; readonly welcome: PairingWelcome }
  | { readonly is: 'failed'; readonly why: PairingFailure };

export interface Step<S> {
  readonly state: S;
  readonly send: Uint8Array | null;
}

/** The name of the mailbox at the relay, which learns nothing of the secret by it. */
export function mailboxOf(secret: Uint8Array): string {
  return toHex(digest(utf8.encode('baton:pairing-mailbox\0'), secret, 16));
}

function talkOf(secret: Uint8Array, nowMs: number): Talk {
  return {
    macKey: digest(utf8.encode('baton:pairing-mac\0'), secret),
    transcript: digest(utf8.encode('baton:pairing:1\0')),
    expiresAtMs: nowMs + PAIRING_MS,
  };
}

/** Says `body` and gives the talk as it is then. */
function say(talk: Talk, name: MessageName, body: Uint8Array): { readonly talk: Talk; readonly message: Uint8Array } {
  const said = concat(Uint8Array.of(CODES[name]), body);
  const transcript = digest(concat(talk.transcript, said));
  return { talk: { ...talk, transcript }, message: concat(said, digest(transcript, talk.macKey)) };
}

/** The body of the message that has to come next; null for anything else. */
function hear(talk: Talk, name: MessageName, message: Uint8Array): { readonly talk: Talk; readonly body: Uint8Array } | null {
  if (message.byteLength <= MAC_BYTES || message.byteLength > MAX_PAIRING_MESSAGE_BYTES) return null;
  const said = message.subarray(0, -MAC_BYTES);
  const transcript = digest(concat(talk.transcript, said));
  if (!isSame(digest(transcript, talk.macKey), message.subarray(-MAC_BYTES)) || said[0] !== CODES[name]) return null;
  return { talk: { ...talk, transcript }, body: said.subarray(1) };
}

const commitmentOf = (publicKey: Uint8Array, nonce: Uint8Array): Uint8Array =>
  digest(concat(utf8.encode('baton:pairing-commit\0'), publicKey, nonce));

/** Both sides' key out of what only they can compute, the secret, and everything that was said in the open. */
function keyOf(talk: Talk, shared: Uint8Array, revealed: Uint8Array): Uint8Array {
  return digest(concat(shared, talk.transcript, revealed), talk.macKey);
}

function digitsOf(key: Uint8Array): string {
  const number = new DataView(digest(utf8.encode('baton:pairing-digits\0'), key).buffer).getBigUint64(0);
  return String(number % 1_000_000n).padStart(6, '0');
}

const failed = (why: PairingFailure, send: Uint8Array | null = null): Step<{ is: 'failed'; why: PairingFailure }> => ({
  state: { is: 'failed', why },
  send,
});

// The member: the machine that is in the workspace already.

export function startMember(secret: Uint8Array, nowMs: number): MemberState {
  return { is: 'waiting', badMessages: 0, ...talkOf(secret, nowMs) };
}

export function memberReceives(state: MemberState, message: Uint8Array, nowMs: number): Step<MemberState> {
  const expired = memberExpires(state, nowMs);
  if (expired !== null) return expired;
  if (state.is === 'waiting') return memberHearsCommit(state, message);
  if (state.is === 'answered') return memberHearsReveal(state, message);
  // After the digits are shown nothing that is sent can change what they stand for.
  return { state, send: null };
}

function memberHearsCommit(state: Extract<MemberState, { is: 'waiting' }>, message: Uint8Array): Step<MemberState> {
  const heard = hear(state, 'commit', message);
  if (heard === null || heard.body.byteLength !== KEY_BYTES) return bad(state);
  const ephemeral = makeBoxKeys();
  const said = say(heard.talk, 'answer', concat(ephemeral.publicKey, randomBytes(NONCE_BYTES)));
  const commitment = heard.body.slice();
  return {
    state: { ...said.talk, is: 'answered', badMessages: state.badMessages, commitment, ephemeral },
    send: said.message,
  };
}

function memberHearsReveal(state: Extract<MemberState, { is: 'answered' }>, message: Uint8Array): Step<MemberState> {
  const heard = hear(state, 'reveal', message);
  if (heard === null || heard.body.byteLength <= KEY_BYTES + NONCE_BYTES) return bad(state);
  const revealed = heard.body.subarray(0, KEY_BYTES + NONCE_BYTES);
  const publicKey = revealed.subarray(0, KEY_BYTES);
  // Whoever knows the secret and shows another key than it committed to is choosing digits: no second try.
  if (!isSame(commitmentOf(publicKey, revealed.subarray(KEY_BYTES)), state.commitment)) return failed('tampered');
  const shared = agree(state.ephemeral.secretKey, publicKey);
  if (shared === null) return failed('tampered');
  const key = keyOf(state, shared, revealed);
  const newcomer = NewcomerShape.safeParse(openJson(key, heard.body.subarray(KEY_BYTES + NONCE_BYTES)));
  if (!newcomer.success) return failed('tampered');
  const { machine } = newcomer.data;
  // It stands beside the digits, and somebody between the two knows both sides' when choosing it.
  const name = cleanName(newcomer.data.name) || machine.slice(-8);
  const known = { ...newcomer.data, name };
  return { state: { ...heard.talk, is: 'comparing', key, newcomer: known, digits: digitsOf(key) }, send: null };
}

function bad<S extends Extract<MemberState, { is: 'waiting' | 'answered' }>>(state: S): Step<MemberState> {
  const badMessages = state.badMessages + 1;
  return badMessages >= MAX_BAD_MESSAGES ? failed('too-many-attempts') : { state: { ...state, badMessages }, send: null };
}

/** The step to take when time is over; null while it is not, or no longer matters. */
export function memberExpires(state: MemberState, nowMs: number): Step<MemberState> | null {
  if (state.is === 'done' || state.is === 'failed' || state.is === 'confirmed') return null;
  return nowMs >= state.expiresAtMs ? failed('expired') : null;
}

/** The person compared the digits and said yes. Anything but a comparison in time stays as it is. */
export function memberConfirms(state: MemberState, rights: Rights, nowMs: number): MemberState {
  const expired = memberExpires(state, nowMs);
  if (expired !== null) return expired.state;
  if (state.is !== 'comparing') return state;
  const { digits: _, ...rest } = state;
  return { ...rest, is: 'confirmed', rights };
}

export function memberDeclines(state: MemberState): Step<MemberState> {
  if (state.is === 'done' || state.is === 'failed') return { state, send: null };
  if (state.is !== 'comparing' && state.is !== 'confirmed') return failed('declined');
  return failed('declined', say(state, 'verdict', sealJson(state.key, { is: 'declined' })).message);
}

/** The entry is in the chain: tells the newcomer where it belongs. */
export function memberWelcomes(state: MemberState, welcome: PairingWelcome): Step<MemberState> {
  if (state.is !== 'confirmed') throw new Error(`cannot welcome a machine while ${state.is}`);
  return { state: { is: 'done' }, send: say(state, 'verdict', sealJson(state.key, { is: 'welcome', welcome })).message };
}

// The newcomer.

export function startNewcomer(secret: Uint8Array, newcomer: Newcomer, nowMs: number): Step<NewcomerState> {
  const ephemeral = makeBoxKeys();
  const nonce = randomBytes(NONCE_BYTES);
  const said = say(talkOf(secret, nowMs), 'commit', commitmentOf(ephemeral.publicKey, nonce));
  return { state: { ...said.talk, is: 'committed', newcomer, ephemeral, nonce }, send: said.message };
}

export function newcomerReceives(state: NewcomerState, message: Uint8Array, nowMs: number): Step<NewcomerState> {
  if (state.is === 'joined' || state.is === 'failed') return { state, send: null };
  if (nowMs >= state.expiresAtMs) return failed('expired');
  return state.is === 'committed' ? newcomerHearsAnswer(state, message) : newcomerHearsVerdict(state, message);
}

function newcomerHearsAnswer(state: Extract<NewcomerState, { is: 'committed' }>, message: Uint8Array): Step<NewcomerState> {
  const heard = hear(state, 'answer', message);
  if (heard === null || heard.body.byteLength !== KEY_BYTES + NONCE_BYTES) return failed('tampered');
  const shared = agree(state.ephemeral.secretKey, heard.body.subarray(0, KEY_BYTES));
  if (shared === null) return failed('tampered');
  const revealed = concat(state.ephemeral.publicKey, state.nonce);
  const key = keyOf(heard.talk, shared, revealed);
  const said = say(heard.talk, 'reveal', concat(revealed, sealJson(key, state.newcomer)));
  return { state: { ...said.talk, is: 'comparing', key, digits: digitsOf(key) }, send: said.message };
}

function newcomerHearsVerdict(state: Extract<NewcomerState, { is: 'comparing' }>, message: Uint8Array): Step<NewcomerState> {
  const heard = hear(state, 'verdict', message);
  const verdict = Verdict.safeParse(heard === null ? undefined : openJson(state.key, heard.body));
  if (!verdict.success) return failed('tampered');
  return verdict.data.is === 'declined'
    ? failed('declined')
    : { state: { is: 'joined', welcome: verdict.data.welcome }, send: null };
}

function sealJson(key: Uint8Array, value: unknown): Uint8Array {
  return encrypt(key, utf8.encode(JSON.stringify(value)), NOTHING);
}

function openJson(key: Uint8Array, sealed: Uint8Array): unknown {
  const bytes = decrypt(key, sealed, NOTHING);
  if (bytes === null) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
