import * as z from 'zod/mini';
import { MachineId, Timestamp } from './ids.ts';
import { Rights } from './machines.ts';
import { concat, digest, HASH_BYTES, SIGNATURE_BYTES, sign, toHex } from './seal.ts';

/**
 * One entry of the membership chain: signature ‖ body. The body is JSON, and its bytes are kept as they were signed, so that nothing
 * depends on writing JSON the same way twice.
 */
export const MAX_ENTRY_BYTES = 64 * 1024;
export const NO_ENTRY_HASH = '0'.repeat(HASH_BYTES * 2);

const hex = (bytes: number) => z.string().check(z.regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`)));
const sealed = (maxBytes: number) => z.string().check(z.regex(/^([0-9a-f]{2})+$/), z.maxLength(maxBytes * 2));
const Hash = hex(HASH_BYTES);
const Key = hex(32);
/** A name of at most 64 characters, sealed. */
const Label = sealed(512);
/** For each machine that gets the new key, the key sealed to it. */
const Keys = z.record(MachineId, sealed(128));
/** A whole keyring, sealed: room for ten years of weekly rotation. */
const SealedKeyring = sealed(20_000);

const link = {
  version: z.literal(1),
  previous: Hash,
  height: z.int().check(z.positive()),
  by: MachineId,
  /** By the signer's clock; told to people, decides nothing. */
  atMs: Timestamp.check(z.nonnegative()),
};

export const EntryBody = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('genesis'), ...link, signKey: Key, boxKey: Key, label: Label, keyHash: Hash, keys: Keys }),
  z.strictObject({
    type: z.literal('add'),
    ...link,
    machine: MachineId,
    signKey: Key,
    boxKey: Key,
    rights: Rights,
    label: Label,
    keyring: SealedKeyring,
  }),
  z.strictObject({ type: z.literal('revoke'), ...link, machine: MachineId, keyHash: Hash, keys: Keys }),
  z.strictObject({ type: z.literal('rotate'), ...link, keyHash: Hash, keys: Keys }),
  z.strictObject({ type: z.literal('rename'), ...link, machine: MachineId, label: Label }),
  z.strictObject({ type: z.literal('rights'), ...link, machine: MachineId, rights: Rights }),
]);
export type EntryBody = z.infer<typeof EntryBody>;

export interface MembershipEntry {
  readonly bytes: Uint8Array;
  readonly body: EntryBody;
  readonly signature: Uint8Array;
  /** The body's bytes. */
  readonly signed: Uint8Array;
  /** Over signature and body, as hex: what the next entry names. */
  readonly hash: string;
}

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder('utf-8', { fatal: true });

export function signEntry(body: EntryBody, signSecretKey: Uint8Array): Uint8Array {
  const signed = utf8.encode(JSON.stringify(body));
  return concat(sign('membership', signed, signSecretKey), signed);
}

/** Looks at the form only. Null for what is no entry. */
export function readEntry(bytes: Uint8Array): MembershipEntry | null {
  if (bytes.byteLength <= SIGNATURE_BYTES || bytes.byteLength > MAX_ENTRY_BYTES) return null;
  const signed = bytes.subarray(SIGNATURE_BYTES);
  const body = EntryBody.safeParse(jsonOf(signed));
  if (!body.success) return null;
  return { bytes, body: body.data, signature: bytes.subarray(0, SIGNATURE_BYTES), signed, hash: toHex(digest(bytes)) };
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8.decode(bytes));
  } catch {
    return undefined;
  }
}
