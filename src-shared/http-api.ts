import * as z from 'zod/mini';
import { ClientId } from './ids.ts';
import { Refusal } from './refusal.ts';

/**
 * The local HTTP server as its clients see it: paths, how a token travels, and what the few routes answer that are not made from
 * the table of operations. Both ends parse with these schemas.
 */
export const API_PREFIX = '/api/v1';
export const PATHS = {
  login: `${API_PREFIX}/login`,
  proof: `${API_PREFIX}/proof`,
  health: `${API_PREFIX}/health`,
  /** WebSocket. */
  wire: `${API_PREFIX}/wire`,
  /** POST opens a polling wire. */
  wires: `${API_PREFIX}/wires`,
} as const;

/** A polling wire: DELETE closes it. */
export const wirePath = (wireId: string) => `${PATHS.wires}/${encodeURIComponent(wireId)}`;
/** Its frames: POST sends some, GET `?after=N` waits for those that follow number N. */
export const wireFramesPath = (wireId: string) => `${wirePath(wireId)}/frames`;

/** A token travels in `Authorization: Bearer …`; on a WebSocket, whose headers a page cannot set, as a subprotocol. Never in an address. */
export const WIRE_SUBPROTOCOL = 'baton.v1';
const TOKEN_SUBPROTOCOL = 'baton.token.';
export const tokenSubprotocol = (token: string) => `${TOKEN_SUBPROTOCOL}${token}`;
/** The token among offered subprotocols; null: none. */
export function tokenOfSubprotocols(offered: readonly string[]): string | null {
  return offered.find((name) => name.startsWith(TOKEN_SUBPROTOCOL))?.slice(TOKEN_SUBPROTOCOL.length) ?? null;
}
/** Programs with the key of server.json may say which client they are; without it they share one. */
export const CLIENT_ID_HEADER = 'baton-client-id';

/** 256 random bits, base64url: keys, codes, tokens, challenges, proofs. */
export const Secret = z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/));

/** What brings a client back: on each network wire in `welcome.reconnect`, renewed there by `reconnect:token`. `expiresAt`: ms since 1970. */
export const ReconnectToken = z.object({ token: Secret, expiresAt: z.int() });
export type ReconnectToken = z.infer<typeof ReconnectToken>;

/** `code`: from the fragment of the address that `server.loginCode` made; once, within seconds. */
export const LoginRequest = z.object({ code: Secret, clientId: ClientId });
export const LoginAnswer = z.object({ ...ReconnectToken.shape });
/** The address that lets a browser in: page + this + code. What stands behind # never leaves the browser. */
export const LOGIN_FRAGMENT = '#code=';

/**
 * Before a client shows its token it lets the server prove that it knows the token already: another program may listen on the port
 * by now. `tokenId` and the proof are computed as in http-proof.ts.
 */
export const ProofRequest = z.object({ tokenId: Secret, challenge: Secret });
export const ProofAnswer = z.object({ proof: Secret });

export const HealthAnswer = z.object({ ok: z.literal(true), version: z.string() });

/** Every error of the API, whatever its status. */
export const ErrorAnswer = z.object({ error: Refusal });
export type ErrorAnswer = z.infer<typeof ErrorAnswer>;

/** server.json in the data folder, readable by its user alone: where the engine listens, and the key that opens it. */
export const ServerFile = z.object({
  pid: z.int(),
  port: z.int(),
  url: z.string(),
  key: Secret,
  version: z.string(),
});
export type ServerFile = z.infer<typeof ServerFile>;

/**
 * A polling wire carries the same frames as any other. Each direction numbers its frames from 1. A body holds consecutive frames:
 * the number of the first one (u32, big-endian), then each frame behind its length (u32). Sending frames again is harmless: those
 * that came are passed over. `after=N` acknowledges the frames up to N; later ones are kept and given again.
 * A gap is refused with `bad-request`. A wire that is gone answers 410 with WireGone: a POST at once, a GET once all frames were
 * taken.
 */
export const FRAMES_CONTENT_TYPE = 'application/octet-stream';
export const WireOpened = z.object({ wireId: Secret });
export const FramesReceived = z.object({
  /** Every frame up to this number has come. */
  received: z.int(),
});
export const WireGone = z.object({
  close: z.object({ code: z.int(), reason: z.string() }),
  /** The client's frames up to this number were taken; no later one will be. */
  received: z.int(),
});
export type WireGone = z.infer<typeof WireGone>;
/** How long a GET waits for a frame. */
export const POLL_MS = 20_000;
/** Frames in one answer; a single larger one still goes, alone. */
export const MAX_POLL_BYTES = 4 * 1024 * 1024;

const FRAME_HEADER_BYTES = 4;

export function packFrames(first: number, frames: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = frames.reduce((sum, frame) => sum + FRAME_HEADER_BYTES + frame.byteLength, FRAME_HEADER_BYTES);
  const body = new Uint8Array(size);
  const view = new DataView(body.buffer);
  view.setUint32(0, first);
  let at = FRAME_HEADER_BYTES;
  for (const frame of frames) {
    view.setUint32(at, frame.byteLength);
    body.set(frame, at + FRAME_HEADER_BYTES);
    at += FRAME_HEADER_BYTES + frame.byteLength;
  }
  return body;
}

/** Throws on what is not such a body. The frames are views of it. */
export function unpackFrames(body: Uint8Array): { readonly first: number; readonly frames: readonly Uint8Array[] } {
  if (body.byteLength < FRAME_HEADER_BYTES) throw new Error('the body holds no frame number');
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const frames: Uint8Array[] = [];
  for (let at = FRAME_HEADER_BYTES; at < body.byteLength; ) {
    if (body.byteLength - at < FRAME_HEADER_BYTES) throw new Error('the body ends within a length');
    const start = at + FRAME_HEADER_BYTES;
    at = start + view.getUint32(at);
    if (at > body.byteLength) throw new Error('the body ends within a frame');
    frames.push(body.subarray(start, at));
  }
  return { first: view.getUint32(0), frames };
}
