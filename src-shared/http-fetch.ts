import { ErrorAnswer } from './http-api.ts';
import { RefusalError } from './refusal.ts';

/** What is needed of an answer to an HTTP request; the DOM's and Node's both have it. */
export interface HttpAnswer {
  readonly ok: boolean;
  readonly status: number;
  json(): Promise<unknown>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly signal?: AbortSignal;
  /** Outlives the page that asks. */
  readonly keepalive?: boolean;
}

export type HttpFetch = (url: string, request: HttpRequest) => Promise<HttpAnswer>;

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

export function jsonBody(value: unknown): { readonly headers: Record<string, string>; readonly body: string } {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

/** The refusal in an answer, in the server's own words where it gave any. */
export async function refusalIn(answer: HttpAnswer): Promise<RefusalError> {
  let said: unknown = null;
  try {
    said = await answer.json();
  } catch {
    // Not ours: whatever stands between the ends says things in its own way.
  }
  const read = ErrorAnswer.safeParse(said);
  if (!read.success) return new RefusalError('failed', `The server answered with status ${answer.status}.`);
  const { code, message, hint } = read.data.error;
  return new RefusalError(code, message, hint);
}
