import { createHash, createHmac, randomBytes } from 'node:crypto';
import { proofText } from '../../src-shared/http-proof.ts';

/** The server's half of http-proof.ts: it knows tokens by their hash only. Texts are base64url. */
export const newSecret = () => randomBytes(32).toString('base64url');
export const hashOf = (token: string) => createHash('sha256').update(token, 'utf8').digest('base64url');
export const tokenIdOfHash = (hash: string) => createHash('sha256').update(Buffer.from(hash, 'base64url')).digest('base64url');
export function proofOfHash(hash: string, host: string, challenge: string): string {
  return createHmac('sha256', Buffer.from(hash, 'base64url')).update(proofText(host, challenge), 'utf8').digest('base64url');
}
