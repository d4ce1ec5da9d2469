import { scrypt } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import * as z from 'zod/mini';
import { MachineId } from '../../../src-shared/ids.ts';
import type { Signer } from '../../../src-shared/membership-keys.ts';
import { concat, decrypt, encrypt, fromHex, KEY_BYTES, randomBytes, signKeysFrom, toHex } from '../../../src-shared/seal.ts';

/** The system's key ring, where this process can use it. */
export interface KeySealer {
  isAvailable(): boolean;
  seal(text: string): Buffer;
  /** Throws what was sealed by another user or another key ring. */
  open(sealed: Buffer): string;
}

/** What keeps the secret halves from whoever reads the file. `plain`: nothing but its mode. */
export type KeyProtection =
  | { readonly by: 'key-ring'; readonly keyRing: KeySealer }
  | { readonly by: 'passphrase'; readonly passphrase: string }
  | { readonly by: 'plain' };

/** Why the keys cannot be read though they are there. */
export type Locked = 'key-ring' | 'passphrase' | 'wrong-passphrase';

export const LOCKED: Readonly<Record<Locked, readonly [message: string, hint: string]>> = {
  'key-ring': [
    'The keys of this machine are sealed by a key ring that cannot be opened here.',
    'Start the app instead, or leave the workspace and pair this machine anew.',
  ],
  passphrase: ['The keys of this machine are sealed with a passphrase, and none was given.', 'Run: baton machines unlock'],
  'wrong-passphrase': ['The passphrase is another one.', 'Run: baton machines unlock'],
};

export type KeptKeys =
  | { readonly is: 'none' }
  | { readonly is: 'open'; readonly signer: Signer; readonly by: KeyProtection['by'] }
  /** They are there, and cannot be read here and now. */
  | { readonly is: 'locked'; readonly why: Locked };

/** About a quarter of a second and 128 MB for each guess. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };
const SALT_BYTES = 16;

const Hex = z.string().check(z.regex(/^([0-9a-f]{2})+$/), z.maxLength(1024));
const Key = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const KeyFile = z.strictObject({
  version: z.literal(1),
  machine: MachineId,
  signKey: Key,
  boxKey: Key,
  /** Seed of the signing key and secret half of the box key, one behind the other. */
  secret: z.discriminatedUnion('by', [
    z.strictObject({ by: z.literal('key-ring'), sealed: z.string() }),
    z.strictObject({ by: z.literal('passphrase'), salt: Hex, sealed: Hex }),
    z.strictObject({ by: z.literal('plain'), bytes: Hex }),
  ]),
});
type KeyFile = z.infer<typeof KeyFile>;

/** The public halves, which a passphrase vouches for too: nobody can swap them for others. */
const besides = (file: Pick<KeyFile, 'machine' | 'signKey' | 'boxKey'>): Uint8Array =>
  new TextEncoder().encode(`baton:machine-keys ${file.machine} ${file.signKey} ${file.boxKey}`);

export async function writeMachineKeys(path: string, { machine, keys }: Signer, protection: KeyProtection): Promise<void> {
  const open = { machine, signKey: toHex(keys.sign.publicKey), boxKey: toHex(keys.box.publicKey) };
  const secret = concat(keys.sign.secretKey.subarray(0, KEY_BYTES), keys.box.secretKey);
  const file: KeyFile = { version: 1, ...open, secret: await protect(secret, protection, besides(open)) };
  await writeFileAtomic(path, `${JSON.stringify(file)}\n`, { mode: 0o600 });
}

async function protect(secret: Uint8Array, protection: KeyProtection, beside: Uint8Array): Promise<KeyFile['secret']> {
  if (protection.by === 'plain') return { by: 'plain', bytes: toHex(secret) };
  if (protection.by === 'key-ring') {
    return { by: 'key-ring', sealed: protection.keyRing.seal(toHex(secret)).toString('base64') };
  }
  const salt = randomBytes(SALT_BYTES);
  const key = await stretched(protection.passphrase, salt);
  return { by: 'passphrase', salt: toHex(salt), sealed: toHex(encrypt(key, secret, beside)) };
}

/** Throws where the file is none of ours. */
export async function readMachineKeys(
  path: string,
  { keyRing, passphrase }: { readonly keyRing: KeySealer; readonly passphrase: string | null },
): Promise<KeptKeys> {
  const text = await readIfThere(path);
  if (text === null) return { is: 'none' };
  const file = parse(text, path);
  const { secret } = file;
  if (secret.by === 'plain') return opened(file, fromHex(secret.bytes), path);
  if (secret.by === 'passphrase') {
    if (passphrase === null) return { is: 'locked', why: 'passphrase' };
    const bytes = decrypt(await stretched(passphrase, fromHex(secret.salt)), fromHex(secret.sealed), besides(file));
    return bytes === null ? { is: 'locked', why: 'wrong-passphrase' } : opened(file, bytes, path);
  }
  try {
    return opened(file, fromHex(keyRing.open(Buffer.from(secret.sealed, 'base64'))), path);
  } catch {
    // The key ring may be there again at the next start: nothing is thrown away.
    return { is: 'locked', why: 'key-ring' };
  }
}

export function removeMachineKeys(path: string): Promise<void> {
  return rm(path, { force: true });
}

function opened(file: KeyFile, secret: Uint8Array, path: string): KeptKeys {
  const sign = signKeysFrom(secret.subarray(0, KEY_BYTES));
  if (secret.byteLength !== 2 * KEY_BYTES || toHex(sign.publicKey) !== file.signKey) throw notOurs(path);
  const box = { publicKey: fromHex(file.boxKey), secretKey: secret.slice(KEY_BYTES) };
  return { is: 'open', signer: { machine: file.machine, keys: { sign, box } }, by: file.secret.by };
}

function stretched(passphrase: string, salt: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), salt, KEY_BYTES, SCRYPT, (error, key) => {
      if (error === null) resolve(new Uint8Array(key));
      else reject(error);
    });
  });
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function parse(text: string, path: string): KeyFile {
  try {
    return KeyFile.parse(JSON.parse(text));
  } catch {
    // Neither the text nor the parser's words about it may reach a log.
    throw notOurs(path);
  }
}

function notOurs(path: string): Error {
  return new Error(`${path} is not readable as the keys of this machine. Bring it back from a backup, or leave the workspace.`);
}
