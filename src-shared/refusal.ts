import * as z from 'zod/mini';

/**
 * Refusals: one table for all ends. A refused request is an ordinary reply that says what, why and the way out;
 * only a broken peer is closed, with a close code.
 */
export const RefusalCode = z.enum([
  'bad-request',
  'unknown-session',
  'unknown-target',
  'not-running',
  'already-answered',
  'input-id-reused',
  'queue-full',
  'too-large',
  'wrong-epoch',
  'not-allowed',
  'not-ready',
  'unsupported',
  'version-mismatch',
  'shutting-down',
  'failed',
]);
export type RefusalCode = z.infer<typeof RefusalCode>;

export const Refusal = z.object({
  code: RefusalCode,
  /** What was refused and why, one sentence. */
  message: z.string(),
  /** The way out, one sentence; null where there is none. */
  hint: z.nullable(z.string()),
});
export type Refusal = z.infer<typeof Refusal>;

/** Thrown where a request is refused; the door turns it into a reply. Anything else that is thrown is a bug. */
export class RefusalError extends Error {
  readonly refusal: Refusal;
  constructor(code: RefusalCode, message: string, hint: string | null = null) {
    super(message);
    this.name = 'RefusalError';
    this.refusal = { code, message, hint };
  }
}

/** Why a wire was closed by our side. 44xx: do not come back with the same words; 45xx: come back. */
export const CLOSE = {
  malformedFrame: { code: 4400, reason: 'malformed frame' },
  helloExpected: { code: 4401, reason: 'client:hello expected first' },
  versionMismatch: { code: 4402, reason: 'protocol version not supported' },
  disconnected: { code: 4403, reason: 'disconnected by the user' },
  revoked: { code: 4404, reason: 'the token of this connection was revoked' },
  superseded: { code: 4405, reason: 'this client has connected again' },
  foreignToken: { code: 4406, reason: 'the token belongs to another client' },
  tooSlow: { code: 4500, reason: 'client reads too slowly' },
  shuttingDown: { code: 4501, reason: 'engine is stopping' },
  silent: { code: 4502, reason: 'no sign of life' },
  otherRoad: { code: 4510, reason: 'a better road was found' },
  failed: { code: 4503, reason: 'the engine failed on a message' },
  tokenTaken: { code: 4504, reason: 'another connection was opened with this token' },
  tooMany: { code: 4505, reason: 'too many connections' },
} as const;
export type CloseReason = { readonly code: number; readonly reason: string };
