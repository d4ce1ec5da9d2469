import { describe, expect, it, vi } from 'vitest';
import { ClientId } from '../../src-shared/ids.ts';
import { type ClientMessage, encodeMessage, parseClientMessage, parseHostMessage } from '../../src-shared/protocol.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import { wirePair } from '../../src-shared/wire.ts';
import type { OperationHandlers } from '../engine/connection.ts';
import { joinWires } from './shell-tap.ts';

const clientId = ClientId.parse('0190a000-0000-4000-8000-000000000001');

function joined(handlers: OperationHandlers = {}) {
  const [page, pageEnd] = wirePair((deliver) => deliver());
  const [engineEnd, engine] = wirePair((deliver) => deliver());
  const onBug = vi.fn();
  joinWires(pageEnd, engineEnd, { clientId, handlers, onBug });
  const toPage: ReturnType<typeof parseHostMessage>[] = [];
  const toEngine: ClientMessage[] = [];
  const closed: string[] = [];
  page.onFrame = (frame) => toPage.push(parseHostMessage(frame));
  engine.onFrame = (frame) => toEngine.push(parseClientMessage(frame));
  page.onClose = (why) => closed.push(`page ${why.code}`);
  engine.onClose = (why) => closed.push(`engine ${why.code}`);
  const call = async (operation: Extract<ClientMessage, { type: 'call' }>['operation'], params: unknown) => {
    page.send(encodeMessage({ type: 'call', callId: 7, operation, params }));
    await vi.waitFor(() => expect(toPage).toHaveLength(1));
    return toPage[0];
  };
  return { page, engine, toPage, toEngine, closed, call, onBug };
}

describe('joinWires', () => {
  it('answers what concerns the window and tells the engine nothing of it', async () => {
    const { call, toEngine } = joined({ 'shell.clipboardRead': async () => ({ text: 'copied' }) });
    expect(await call('shell.clipboardRead', {})).toEqual({
      type: 'reply',
      callId: 7,
      outcome: { ok: true, result: { text: 'copied' } },
    });
    expect(toEngine).toEqual([]);
  });

  it('lets everything else through, both ways', () => {
    const { page, engine, toPage, toEngine } = joined();
    page.send(encodeMessage({ type: 'call', callId: 1, operation: 'session.list', params: {} }));
    engine.send(encodeMessage({ type: 'pong', sentAt: 1 }));
    expect([toEngine[0]?.type, toPage[0]?.type]).toEqual(['call', 'pong']);
  });

  it('[wire-4] refuses with what, why and the way out', async () => {
    const refuse = async () => {
      throw new RefusalError('not-allowed', 'Only web addresses.', 'Copy it.');
    };
    expect(await joined({ 'shell.openLink': refuse }).call('shell.openLink', { url: 'file:///etc' })).toMatchObject({
      outcome: { ok: false, refusal: { code: 'not-allowed', message: 'Only web addresses.', hint: 'Copy it.' } },
    });
    expect(await joined({ 'shell.openLink': refuse }).call('shell.openLink', { url: 5 })).toMatchObject({
      outcome: { refusal: { code: 'bad-request' } },
    });
  });

  it('reports a bug and answers all the same', async () => {
    const { call, onBug } = joined({
      'shell.clipboardRead': async () => {
        throw new Error('a bug');
      },
    });
    expect(await call('shell.clipboardRead', {})).toMatchObject({ outcome: { refusal: { code: 'failed' } } });
    expect(onBug).toHaveBeenCalledOnce();
  });

  it('[wire-2] closes on a malformed frame', () => {
    const { page, closed } = joined();
    page.send(new Uint8Array([1, 2, 3]));
    expect(closed.sort()).toEqual(['engine 4400', 'page 4400']);
  });

  it('closes one end with the other', () => {
    const first = joined();
    first.page.close({ code: 1000, reason: 'reload' });
    const second = joined();
    second.engine.close({ code: 4501, reason: 'stopping' });
    expect([first.closed, second.closed].map((closed) => closed.length)).toEqual([2, 2]);
  });
});
