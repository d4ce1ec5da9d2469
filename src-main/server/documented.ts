import * as z from 'zod/mini';
import {
  FRAMES_CONTENT_TYPE,
  FramesReceived,
  HealthAnswer,
  LoginAnswer,
  LoginRequest,
  ProofAnswer,
  ProofRequest,
  Secret,
  WireOpened,
} from '../../src-shared/http-api.ts';
import type { Route } from './route.ts';
import { ROUTES } from './routes.ts';
import { STREAMS } from './streams.ts';

/** A route as the document shows it. */
export type Documented = Omit<Route, 'handle' | 'answer' | 'status' | 'operation' | 'maxBodyBytes'> & {
  /** A schema of JSON, a media type, or null: nothing. */
  readonly answer: z.ZodMiniType | string | null;
  readonly status?: number;
  /** Media type of a body that is not JSON. */
  readonly bodyType?: string;
  /** Needs no token. */
  readonly isOpen?: true;
  /** Not below the prefix of the API. */
  readonly isAtRoot?: true;
};

const wireId = { wireId: Secret };

/** What is not made from the table: the door, wires, streams, and what the server tells of itself. */
const OTHERS: readonly Documented[] = [
  {
    method: 'GET',
    url: '/health',
    id: 'health',
    summary: 'Whether it runs, and which version',
    answer: HealthAnswer,
    isOpen: true,
  },
  {
    method: 'POST',
    url: '/login',
    id: 'login',
    summary: 'A token for a browser, for a login code',
    description: 'A code is made on this machine (`baton connect dashboard`), works once, and for 30 seconds.',
    body: LoginRequest,
    answer: LoginAnswer,
    isOpen: true,
  },
  {
    method: 'POST',
    url: '/proof',
    id: 'proof',
    summary: 'The server proves that it knows a token before that is shown to it',
    description:
      '`tokenId` = SHA-256(hash), with hash = SHA-256(token); `proof` = HMAC-SHA-256 with the key hash over `baton proof`, NUL, Host, NUL, challenge. All base64url.',
    body: ProofRequest,
    answer: ProofAnswer,
    isOpen: true,
  },
  {
    method: 'GET',
    url: '/wire',
    id: 'wire',
    summary: 'A WebSocket: everything that a window can do, as binary messages',
    description: 'Subprotocols `baton.v1` and `baton.token.` with the token behind it.',
    answer: null,
    status: 101,
  },
  {
    method: 'POST',
    url: '/wires',
    id: 'wires.open',
    summary: 'The same where a WebSocket cannot be had: a wire whose frames are fetched and posted',
    answer: WireOpened,
    status: 201,
  },
  {
    method: 'DELETE',
    url: '/wires/{wireId}',
    id: 'wires.close',
    summary: 'Closes a polling wire',
    path: wireId,
    answer: z.object({}),
  },
  {
    method: 'GET',
    url: '/wires/{wireId}/frames',
    id: 'wires.poll',
    summary: 'Waits for the frames after number `after`, and acknowledges those up to it',
    description: 'A u32 with the number of the first frame, then each frame behind its length as u32, big-endian.',
    path: wireId,
    query: { after: z.int().check(z.nonnegative()) },
    answer: FRAMES_CONTENT_TYPE,
  },
  {
    method: 'POST',
    url: '/wires/{wireId}/frames',
    id: 'wires.send',
    summary: 'Sends frames; those that came before are passed over',
    path: wireId,
    body: z.string(),
    bodyType: FRAMES_CONTENT_TYPE,
    answer: FramesReceived,
  },
  { ...STREAMS.session, answer: 'text/event-stream' },
  { ...STREAMS.sessions, answer: 'text/event-stream' },
  { method: 'GET', url: '/openapi.json', id: 'openapi', summary: 'This document', answer: z.record(z.string(), z.unknown()) },
  {
    method: 'GET',
    url: '/metrics',
    id: 'metrics',
    summary: 'Figures for Prometheus',
    answer: 'text/plain',
    isAtRoot: true,
  },
];

/** Every route of the API. */
export const DOCUMENTED: readonly Documented[] = [...ROUTES, ...OTHERS];
