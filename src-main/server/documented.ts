import * as z from 'zod/mini';
import { HealthAnswer, LoginAnswer, LoginRequest, ProofAnswer, ProofRequest } from '../../src-shared/http-api.ts';
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
      '`tokenId` is SHA-256 of `baton token id:` and the token; the proof is an HMAC-SHA-256 over Host and challenge. Both base64url.',
    body: ProofRequest,
    answer: ProofAnswer,
    isOpen: true,
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
