import { OPERATIONS, type OperationName, type ParamsOf, type ResultOf } from '../../src-shared/operations.ts';
import { type ClientMessage, encodeMessage, parseClientMessage } from '../../src-shared/protocol.ts';
import { CLOSE, type Refusal, RefusalError } from '../../src-shared/refusal.ts';
import type { Wire } from '../../src-shared/wire.ts';

export type ShellOperation = Extract<OperationName, `shell.${string}`>;
/** What the desktop shell does for one window. */
export type ShellHandlers = { readonly [N in ShellOperation]: (params: ParamsOf<N>) => Promise<ResultOf<N>> };

type Call = Extract<ClientMessage, { type: 'call' }>;

/**
 * Joins a window's wire to the engine's. Calls of the desktop shell's own operations are answered here, because the engine may
 * be another process that knows no windows; all other frames pass untouched.
 */
export function joinWires(page: Wire, engine: Wire, handlers: ShellHandlers, onBug: (error: unknown) => void): void {
  page.onClose = (why) => engine.close(why);
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
    if (message.type === 'call' && isShellOperation(message.operation)) {
      void answer(page, message, message.operation, handlers, onBug);
    } else engine.send(frame);
  };
}

function isShellOperation(operation: OperationName): operation is ShellOperation {
  return operation.startsWith('shell.');
}

async function answer<N extends ShellOperation>(
  page: Wire,
  call: Call,
  operation: N,
  handlers: ShellHandlers,
  onBug: (error: unknown) => void,
): Promise<void> {
  const reply = (outcome: { ok: true; result: unknown } | { ok: false; refusal: Refusal }) =>
    page.send(encodeMessage({ type: 'reply', callId: call.callId, outcome }));
  const params = OPERATIONS[operation].params.safeParse(call.params);
  if (!params.success) {
    reply({
      ok: false,
      refusal: { code: 'bad-request', message: `${operation} was asked with what it does not take.`, hint: null },
    });
    return;
  }
  try {
    reply({ ok: true, result: await handlers[operation](params.data as ParamsOf<N>) });
  } catch (error) {
    if (!(error instanceof RefusalError)) onBug(error);
    const refusal: Refusal =
      error instanceof RefusalError
        ? error.refusal
        : { code: 'failed', message: `${operation} failed.`, hint: 'The log says where.' };
    reply({ ok: false, refusal });
  }
}
