import * as z from 'zod/mini';
import { ClientId } from '../../src-shared/ids.ts';

/**
 * The tokens that one login has led to, as a pure state machine. Tokens are numbered in the order they were made; only their hashes
 * are here. `used` is the newest that has opened a wire: older ones are spent. A newer one may be known to the client or not, so the
 * newest used one goes on working until one of its successors has opened a wire.
 */
export const Lineage = z.object({
  clientId: ClientId,
  used: z.int(),
  /** When a wire was opened with it first. */
  usedAt: z.int(),
  /** Number of the next token. */
  next: z.int(),
  tokens: z.array(z.object({ number: z.int(), hash: z.string(), expiresAt: z.int() })),
});
export type Lineage = z.infer<typeof Lineage>;

export type Verdict =
  | 'accepted'
  | 'expired'
  /** The token has opened a wire that is open still: somebody was faster. Nothing is revoked. */
  | 'taken'
  /** A spent token: two parties hold tokens of this lineage. */
  | 'reused';

/** Single requests that were on their way while a wire came back with the next token prove nothing. */
const LATE_MS = 30_000;
/** Successors that no wire has been opened with. More are made only if welcomes get lost over and over. */
const MAX_PENDING = 4;
/** Spent ones that are recognised; each until it expires. */
const MAX_SPENT = 64;

/** `opened`: the number of the token that has opened its first wire; the key counts as one. */
export function newLineage(clientId: ClientId, opened: 0 | 1): Lineage {
  return { clientId, used: opened, usedAt: 0, next: opened + 1, tokens: [] };
}

/** A further token, made now. */
export function withToken(lineage: Lineage, hash: string, expiresAt: number, now: number): Lineage {
  const added = [...lineage.tokens.filter((token) => token.expiresAt > now), { number: lineage.next, hash, expiresAt }];
  const spent = added.filter(({ number }) => number < lineage.used).slice(-MAX_SPENT);
  const inUse = added.filter(({ number }) => number === lineage.used);
  const pending = added.filter(({ number }) => number > lineage.used).slice(-MAX_PENDING);
  return { ...lineage, next: lineage.next + 1, tokens: [...spent, ...inUse, ...pending] };
}

/** Somebody wants to open a wire with the token of this hash. `openNumber`: the token that opened the lineage's wire, if one is open. */
export function presentToken(
  lineage: Lineage,
  hash: string,
  now: number,
  openNumber: number | null,
): { readonly verdict: Verdict; readonly lineage: Lineage; readonly number: number } {
  const token = lineage.tokens.find((candidate) => candidate.hash === hash);
  if (token === undefined || token.expiresAt <= now) return { verdict: 'expired', lineage, number: 0 };
  const { number } = token;
  if (number < lineage.used) return { verdict: 'reused', lineage, number };
  if (number === openNumber) return { verdict: 'taken', lineage, number };
  const usedAt = number === lineage.used ? lineage.usedAt : now;
  return { verdict: 'accepted', lineage: { ...lineage, used: number, usedAt }, number };
}

/** Somebody shows the token with a single request, which uses nothing up. */
export function showToken(lineage: Lineage, hash: string, now: number): Exclude<Verdict, 'taken'> {
  const token = lineage.tokens.find((candidate) => candidate.hash === hash);
  if (token === undefined || token.expiresAt <= now) return 'expired';
  if (token.number >= lineage.used) return 'accepted';
  return now - lineage.usedAt <= LATE_MS ? 'expired' : 'reused';
}

export function isOver(lineage: Lineage, now: number): boolean {
  return lineage.tokens.every(({ expiresAt }) => expiresAt <= now);
}
