import type { ClientId } from '../../src-shared/ids.ts';
import { type ClientMessage, encodeMessage, parseClientMessage } from '../../src-shared/protocol.ts';
import { CLOSE, type Refusal, RefusalError } from '../../src-shared/refusal.ts';
import type { Wire } from '../../src-shared/wire.ts';
import { type OperationHandlers, perform } from '../engine/connection.ts';

export interface Tap {
  readonly clientId: ClientId;
  /** What the desktop shell does for this window (`shell.*`). */
  readonly handlers: OperationHandlers;
  readonly onBug: (error: unknown) => void;
}

type Call = Extract<ClientMessage, { type: 'call' }>;

/**
 * Joins a window's wire to that of an engine in another process, which knows no windows: calls of the desktop shell's own
 * operations are answered here, all other frames pass untouched.
 */
export function joinWires(page: Wire, engine: Wire, tap: Tap): void {
  const gone = new AbortController();
  page.onClose = (why) => {
    gone.abort();
    engine.close(why);
  };
  engine.onClose = (why) => page.close(why);
  engine.onFrame = (frame) => page.send(frame);
  page.onFrame = (frame) => {
    let message: ClientMessage;
    try {
      message = parseClientMessage(frame);
    } catch {
      page.close(CLOSE.malformedFrame);
      return;
    }
    if (message.type === 'call' && message.operation.startsWith('shell.')) void answer(page, message, tap, gone.signal);
    else engine.send(frame);
  };
}

async function answer(
  page: Wire,
  { callId, operation, params }: Call,
  { clientId, handlers, onBug }: Tap,
  signal: AbortSignal,
): Promise<void> {
  const reply = (outcome: { ok: true; result: unknown } | { ok: false; refusal: Refusal }) =>
    page.send(encodeMessage({ type: 'reply', callId, outcome }));
  try {
    reply({ ok: true, result: await perform(handlers, operation, params, { clientId, signal, road: 'window' }) });
  } catch (error) {
    if (error instanceof RefusalError) {
      reply({ ok: false, refusal: error.refusal });
      return;
    }
    onBug(error);
    reply({ ok: false, refusal: { code: 'failed', message: `${operation} failed.`, hint: 'The log says where.' } });
  }
}
