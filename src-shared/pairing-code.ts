import { digest, randomBytes } from './seal.ts';

/**
 * The one-time secret of a pairing as people carry it from one machine to the other: 26 characters of Crockford's base32, in groups.
 * Of the 130 bits 128 are the secret and 2 notice a slip.
 */
export const SECRET_BYTES = 16;
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_LENGTH = 26;
const GROUPS = [
  [0, 5],
  [5, 10],
  [10, 15],
  [15, 20],
  [20, 26],
] as const;
const CHECK_BITS = 2;

export function makeSecret(): Uint8Array {
  return randomBytes(SECRET_BYTES);
}

const checkOf = (secret: Uint8Array): bigint => BigInt((digest(secret)[0] ?? 0) & (2 ** CHECK_BITS - 1));

export function codeOf(secret: Uint8Array): string {
  let value = 0n;
  for (const byte of secret) value = (value << 8n) | BigInt(byte);
  value = (value << BigInt(CHECK_BITS)) | checkOf(secret);
  let code = '';
  for (let at = CODE_LENGTH - 1; at >= 0; at--) code += ALPHABET[Number((value >> BigInt(at * 5)) & 31n)];
  return GROUPS.map(([from, to]) => code.slice(from, to)).join('-');
}

/** As people type it: any case, spaces and dashes anywhere, O for 0, I and L for 1. Null where it cannot be a code. */
export function secretOf(typed: string): Uint8Array | null {
  const code = typed
    .toUpperCase()
    .replace(/[\s\-–—_.]/g, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1');
  if (code.length !== CODE_LENGTH) return null;
  let value = 0n;
  for (const character of code) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) return null;
    value = (value << 5n) | BigInt(digit);
  }
  const check = value & BigInt(2 ** CHECK_BITS - 1);
  value >>= BigInt(CHECK_BITS);
  const secret = new Uint8Array(SECRET_BYTES);
  for (let at = SECRET_BYTES - 1; at >= 0; at--) {
    secret[at] = Number(value & 255n);
    value >>= 8n;
  }
  return checkOf(secret) === check ? secret : null;
}
