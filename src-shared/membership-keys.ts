import { cleanName } from './clean-text.ts';
import type { MachineId } from './ids.ts';
import type { Rights } from './machines.ts';
import { liveMembers, type Member, type Membership } from './membership.ts';
import { type EntryBody, type MembershipEntry, NO_ENTRY_HASH, signEntry } from './membership-entry.ts';
import {
  concat,
  decrypt,
  digest,
  encrypt,
  fromHex,
  KEY_BYTES,
  Keyring,
  type MachineKeys,
  openSealed,
  randomBytes,
  sealTo,
  toHex,
} from './seal.ts';

/**
 * The keys in the chain, and the entries that carry them. A new generation is sealed to each machine that stays; a machine that is
 * added gets all generations, so that it can read what was before it. A machine's own keys and the chain are all that it has to keep.
 */

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();
const KEY_HASH = utf8.encode('baton:workspace-key\0');
const LABEL = utf8.encode('baton:label\0');
const GENERATION_BYTES = 4;

const keyHashOf = (key: Uint8Array): string => toHex(digest(concat(KEY_HASH, key)));

/** A machine that signs, with what it knows. */
export interface Signer {
  readonly machine: MachineId;
  readonly keys: MachineKeys;
}

type Body<T extends EntryBody['type']> = Extract<EntryBody, { type: T }>;
type Link = Pick<EntryBody, 'version' | 'previous' | 'height' | 'by' | 'atMs'>;

const linkTo = (membership: Membership | null, by: MachineId, atMs: number): Link => ({
  version: 1,
  previous: membership?.head ?? NO_ENTRY_HASH,
  height: (membership?.height ?? 0) + 1,
  by,
  atMs,
});

/** A new workspace with this machine in it. */
export function foundWorkspace(signer: Signer, name: string, atMs: number): Uint8Array {
  const key = randomBytes(KEY_BYTES);
  const body: Body<'genesis'> = {
    type: 'genesis',
    ...linkTo(null, signer.machine, atMs),
    signKey: toHex(signer.keys.sign.publicKey),
    boxKey: toHex(signer.keys.box.publicKey),
    label: sealLabel(new Keyring([[1, key]]), 1, name),
    keyHash: keyHashOf(key),
    keys: { [signer.machine]: toHex(sealTo(signer.keys.box.publicKey, key)) },
  };
  return signEntry(body, signer.keys.sign.secretKey);
}

/** What a machine tells of itself when it wants to be added. */
export interface Newcomer {
  readonly machine: MachineId;
  /** Hex. */
  readonly signKey: string;
  readonly boxKey: string;
  readonly name: string;
}

export function addMachine(
  membership: Membership,
  signer: Signer,
  keyring: Keyring,
  { machine, signKey, boxKey, name, rights }: Newcomer & { readonly rights: Rights },
  atMs: number,
): Uint8Array {
  const packed = concat(...keyring.keys().flatMap(([generation, key]) => [numberBytes(generation), key]));
  const body: Body<'add'> = {
    type: 'add',
    ...linkTo(membership, signer.machine, atMs),
    machine,
    signKey,
    boxKey,
    rights,
    label: sealLabel(keyring, membership.generation, name),
    keyring: toHex(sealTo(fromHex(boxKey), packed)),
  };
  return signEntry(body, signer.keys.sign.secretKey);
}

/** The machine's end in this workspace, and a new key for the others. */
export function revokeMachine(membership: Membership, signer: Signer, machine: MachineId, atMs: number): Uint8Array {
  const rest = liveMembers(membership).filter((member) => member.machine !== machine);
  const body: Body<'revoke'> = { type: 'revoke', ...linkTo(membership, signer.machine, atMs), machine, ...newKey(rest) };
  return signEntry(body, signer.keys.sign.secretKey);
}

export function rotateKey(membership: Membership, signer: Signer, atMs: number): Uint8Array {
  const body: Body<'rotate'> = {
    type: 'rotate',
    ...linkTo(membership, signer.machine, atMs),
    ...newKey(liveMembers(membership)),
  };
  return signEntry(body, signer.keys.sign.secretKey);
}

export function renameMachine(
  membership: Membership,
  signer: Signer,
  keyring: Keyring,
  { machine, name }: { readonly machine: MachineId; readonly name: string },
  atMs: number,
): Uint8Array {
  const label = sealLabel(keyring, membership.generation, name);
  const body: Body<'rename'> = { type: 'rename', ...linkTo(membership, signer.machine, atMs), machine, label };
  return signEntry(body, signer.keys.sign.secretKey);
}

export function setRights(
  membership: Membership,
  signer: Signer,
  { machine, rights }: { readonly machine: MachineId; readonly rights: Rights },
  atMs: number,
): Uint8Array {
  const body: Body<'rights'> = { type: 'rights', ...linkTo(membership, signer.machine, atMs), machine, rights };
  return signEntry(body, signer.keys.sign.secretKey);
}

function newKey(members: readonly Member[]): Pick<Body<'rotate'>, 'keyHash' | 'keys'> {
  const key = randomBytes(KEY_BYTES);
  const keys = Object.fromEntries(members.map(({ machine, boxKey }) => [machine, toHex(sealTo(fromHex(boxKey), key))]));
  return { keyHash: keyHashOf(key), keys };
}

/**
 * Takes over the keys that an applied entry holds for this machine; `membership` is the state after it. False where the entry has
 * keys for it that are not what was announced: then the signer is broken or lies, and the machine cannot go on with this chain.
 */
export function takeKeys(
  keyring: Keyring,
  { body }: MembershipEntry,
  membership: Membership,
  { machine, keys }: Signer,
): boolean {
  if (body.type === 'add') return body.machine !== machine || takeKeyring(keyring, body.keyring, membership, keys);
  if (body.type !== 'genesis' && body.type !== 'revoke' && body.type !== 'rotate') return true;
  const sealed = body.keys[machine];
  if (sealed === undefined) return true;
  const key = openSealed(keys.box, fromHex(sealed));
  if (key === null || key.byteLength !== KEY_BYTES || keyHashOf(key) !== body.keyHash) return false;
  keyring.add(membership.generation, key);
  return true;
}

function takeKeyring(keyring: Keyring, sealed: string, membership: Membership, keys: MachineKeys): boolean {
  const packed = openSealed(keys.box, fromHex(sealed));
  const each = GENERATION_BYTES + KEY_BYTES;
  if (packed === null || packed.byteLength !== membership.generation * each) return false;
  const view = new DataView(packed.buffer, packed.byteOffset);
  for (let generation = 1; generation <= membership.generation; generation++) {
    const at = (generation - 1) * each;
    if (view.getUint32(at) !== generation) return false;
    keyring.add(generation, packed.slice(at + GENERATION_BYTES, at + each));
  }
  const newest = keyring.keys().at(-1);
  return newest !== undefined && keyHashOf(newest[1]) === membership.keyHash;
}

function sealLabel(keyring: Keyring, generation: number, name: string): string {
  const key = keyring.subKey(generation, 'index');
  if (key === null) throw new Error(`cannot name a machine: the key of generation ${generation} is not here`);
  return toHex(concat(numberBytes(generation), encrypt(key, utf8.encode(cleanName(name)), LABEL)));
}

/** A machine's name, fit to be shown; null where this machine cannot read it, or there is nothing to see. */
export function nameOf(member: Pick<Member, 'label'>, keyring: Keyring): string | null {
  const label = fromHex(member.label);
  if (label.byteLength <= GENERATION_BYTES) return null;
  const key = keyring.subKey(new DataView(label.buffer, label.byteOffset).getUint32(0), 'index');
  const name = key === null ? null : decrypt(key, label.subarray(GENERATION_BYTES), LABEL);
  const shown = name === null ? '' : cleanName(fromUtf8.decode(name));
  return shown === '' ? null : shown;
}

function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(GENERATION_BYTES);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
