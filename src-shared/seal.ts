import sodium from 'libsodium-wrappers';

/**
 * Keys, signatures and sealing in the words of this project; the only file that knows the library behind them. Everything that
 * crosses between machines is made of these few operations. docs/sync.md describes the bytes.
 */
export const HASH_BYTES = 32;
export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
export const NONCE_BYTES = 24;
/** What Poly1305 adds to a text. */
export const TAG_BYTES = 16;

/** Resolves when keys can be made; everything below throws before that. */
export const sealReady: Promise<void> = sodium.ready;

export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/** What a machine is: made there, and only the public halves ever leave it. */
export interface MachineKeys {
  /** Ed25519 */
  readonly sign: KeyPair;
  /** X25519 */
  readonly box: KeyPair;
}

export function makeMachineKeys(): MachineKeys {
  return { sign: makeSignKeys(), box: makeBoxKeys() };
}

export function makeSignKeys(): KeyPair {
  const { publicKey, privateKey } = sodium.crypto_sign_keypair();
  return { publicKey, secretKey: privateKey };
}

export function makeBoxKeys(): KeyPair {
  const { publicKey, privateKey } = sodium.crypto_box_keypair();
  return { publicKey, secretKey: privateKey };
}

/** The same seed gives the same pair: how a signing key is kept in 32 bytes. */
export function signKeysFrom(seed: Uint8Array): KeyPair {
  const { publicKey, privateKey } = sodium.crypto_sign_seed_keypair(seed);
  return { publicKey, secretKey: privateKey };
}

/** At most 65,536. From the runtime in one call: the library asks it for each byte. */
export function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** BLAKE2b. With a key it is a pseudo-random function of the bytes. */
export function digest(bytes: Uint8Array, key: Uint8Array | null = null, length = HASH_BYTES): Uint8Array {
  return sodium.crypto_generichash(length, bytes, key);
}

/** In constant time. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && sodium.memcmp(a, b);
}

export function toHex(bytes: Uint8Array): string {
  return sodium.to_hex(bytes);
}

/** The caller has checked that it is hex. */
export function fromHex(hex: string): Uint8Array {
  return sodium.from_hex(hex);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

const utf8 = new TextEncoder();

/** What a signature is for. It is signed with the bytes, so that one made for one thing is worth nothing for another. */
export type SignatureUse = 'batch' | 'membership' | 'relay-machine' | 'relay-identity' | 'lease';

function signedBytes(use: SignatureUse, bytes: Uint8Array): Uint8Array {
  return concat(utf8.encode(`baton:${use}:1\0`), bytes);
}

export function sign(use: SignatureUse, bytes: Uint8Array, secretKey: Uint8Array): Uint8Array {
  return sodium.crypto_sign_detached(signedBytes(use, bytes), secretKey);
}

/** False also for what is no signature or no key. */
export function isSignedBy(use: SignatureUse, bytes: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.byteLength !== SIGNATURE_BYTES || publicKey.byteLength !== KEY_BYTES) return false;
  return sodium.crypto_sign_verify_detached(signature, signedBytes(use, bytes), publicKey);
}

/** Readable by whoever has the box key's secret half; says nothing of who made it. */
export function sealTo(boxPublicKey: Uint8Array, bytes: Uint8Array): Uint8Array {
  return sodium.crypto_box_seal(bytes, boxPublicKey);
}

/** Null where it was not sealed to these keys or is damaged. */
export function openSealed(box: KeyPair, sealed: Uint8Array): Uint8Array | null {
  return orNull(() => sodium.crypto_box_seal_open(sealed, box.publicKey, box.secretKey));
}

/** X25519. Null for a public key that would make the secret known to everybody. */
export function agree(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array | null {
  return orNull(() => sodium.crypto_scalarmult(secretKey, publicKey));
}

/** XChaCha20-Poly1305: a random nonce, then the ciphertext. `beside` is authenticated with it and stays plain. */
export function encrypt(key: Uint8Array, bytes: Uint8Array, beside: Uint8Array): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(NONCE_BYTES);
  return concat(nonce, sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(bytes, beside, null, nonce, key));
}

/** Null where key, text or `beside` is not what it was encrypted with. */
export function decrypt(key: Uint8Array, encrypted: Uint8Array, beside: Uint8Array): Uint8Array | null {
  if (encrypted.byteLength < NONCE_BYTES + TAG_BYTES) return null;
  const nonce = encrypted.subarray(0, NONCE_BYTES);
  return orNull(() =>
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, encrypted.subarray(NONCE_BYTES), beside, nonce, key),
  );
}

/** The library throws where bytes are not what they claim to be: to us that is an answer. */
function orNull<T>(open: () => T): T | null {
  try {
    return open();
  } catch {
    return null;
  }
}

/** What a key derived from the workspace key is for. The numbers are part of the format. */
const PURPOSES = { events: 1, documents: 2, index: 3, routing: 4 } as const;
export type Purpose = keyof typeof PURPOSES;
const KDF_CONTEXT = 'batonkey';

/** The name of a stream as the relay sees it: 32 hex digits. */
export const STREAM_BYTES = 16;
/** Routing keys come of the first generation, so that a stream keeps its name when the key is rotated. */
const ROUTING_GENERATION = 1;

/** The workspace key in its generations, counted from 1. */
export class Keyring {
  readonly #keys = new Map<number, Uint8Array>();
  readonly #derived = new Map<string, Uint8Array>();

  constructor(keys: Iterable<readonly [generation: number, key: Uint8Array]> = []) {
    for (const [generation, key] of keys) this.add(generation, key);
  }

  add(generation: number, key: Uint8Array): void {
    if (key.byteLength !== KEY_BYTES) throw new Error(`a workspace key has ${KEY_BYTES} bytes, not ${key.byteLength}`);
    const had = this.#keys.get(generation);
    if (had !== undefined && !isSame(had, key)) throw new Error(`generation ${generation} has another key already`);
    this.#keys.set(generation, key);
  }

  has(generation: number): boolean {
    return this.#keys.has(generation);
  }

  /** In ascending order. */
  keys(): readonly (readonly [generation: number, key: Uint8Array])[] {
    return [...this.#keys].sort(([a], [b]) => a - b);
  }

  /** Null where this machine does not have that generation. */
  subKey(generation: number, purpose: Purpose): Uint8Array | null {
    const name = `${purpose} ${generation}`;
    const known = this.#derived.get(name);
    if (known !== undefined) return known;
    const key = this.#keys.get(generation);
    if (key === undefined) return null;
    const derived = sodium.crypto_kdf_derive_from_key(KEY_BYTES, PURPOSES[purpose], KDF_CONTEXT, key);
    this.#derived.set(name, derived);
    return derived;
  }

  /** `kind` and `id` say what it is a stream of, such as 'log' and a runId. */
  streamName(kind: string, id: string): string {
    const key = this.subKey(ROUTING_GENERATION, 'routing');
    if (key === null) throw new Error('a keyring without its first generation cannot name streams');
    return toHex(digest(utf8.encode(`${kind}\0${id}`), key, STREAM_BYTES));
  }
}
