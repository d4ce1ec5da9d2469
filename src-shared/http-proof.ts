/**
 * How a server proves that it knows a token without either end showing it. It keeps `hash = SHA-256(token)`; both ends compute
 *   tokenId = SHA-256(hash)
 *   proof   = HMAC-SHA-256(key: hash, "baton proof" ‖ 0 ‖ host ‖ 0 ‖ challenge)
 * (texts as UTF-8, results as base64url). `host` is what the client dialled, as in its Host header, so that an answer fetched
 * elsewhere does not fit.
 */
export const proofText = (host: string, challenge: string) => `baton proof\0${host}\0${challenge}`;

const utf8 = new TextEncoder();

export async function tokenIdOf(token: string): Promise<string> {
  return base64url(await sha256(await sha256(utf8.encode(token))));
}

export async function proofOf(token: string, host: string, challenge: string): Promise<string> {
  const hash = await sha256(utf8.encode(token));
  const key = await crypto.subtle.importKey('raw', hash, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return base64url(await crypto.subtle.sign('HMAC', key, utf8.encode(proofText(host, challenge))));
}

/** 256 random bits. */
export function newChallenge(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)).buffer);
}

function sha256(bytes: Uint8Array<ArrayBuffer> | ArrayBuffer): Promise<ArrayBuffer> {
  return crypto.subtle.digest('SHA-256', bytes);
}

function base64url(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
