import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ReconnectToken } from '../../src-shared/http-api.ts';
import type { ClientId, RunId } from '../../src-shared/ids.ts';
import { ECHO, newClientId } from '../engine/engine.fixture.ts';
import { type DialledWire, dial, type ServerGround, serverGround, Talk } from './server.fixture.ts';

let here: ServerGround;
beforeEach(async () => {
  here = await serverGround();
});
afterEach(() => here.dispose());

async function login(clientId: ClientId): Promise<ReconnectToken> {
  const token = await here.tokens.login(here.tokens.newCode().code, clientId);
  if (token === null) throw new Error('the login was refused');
  return token;
}

/** Opens a wire and says hello; the welcome's token is the next one. */
async function enter(token: string, clientId: ClientId): Promise<{ wire: DialledWire; talk: Talk; next: string }> {
  const wire = await dial(here.server, token);
  const talk = new Talk(wire);
  const { reconnect } = await talk.hello(clientId);
  return { wire, talk, next: reconnect?.token ?? '' };
}

/** What the gate says to a wire with this token. */
async function knock(token: string): Promise<string> {
  return dial(here.server, token).then(
    () => 'open',
    (error: Error) => /40\d/.exec(error.message)?.[0] ?? error.message,
  );
}

it('[token-2] a token is rotated on use, and works until its successor has opened a wire', async () => {
  const clientId = newClientId();
  const { token } = await login(clientId);
  const first = await enter(token, clientId);
  expect(first.next).not.toBe(token);
  // The welcome got lost: the old one opens another wire.
  first.wire.socket.terminate();
  await vi.waitFor(() => expect(here.engine.wires.websocket).toBe(0));
  const second = await enter(token, clientId);
  // A successor takes the place of the wire that is open.
  const third = await enter(second.next, clientId);
  expect(await second.wire.closed).toMatchObject({ code: 4405 });
  expect(here.server.stats.counts.reconnections).toBe(1);
  third.wire.close({ code: 1000, reason: '' });
});

it('[token-3] of fifty that come back with one token at the same time exactly one is let in', async () => {
  const clientId = newClientId();
  const { token } = await login(clientId);
  const wires = await Promise.all(Array.from({ length: 50 }, () => dial(here.server, token)));
  const outcomes = await Promise.all(
    wires.map((wire) => Promise.race([wire.closed.then(({ code }) => code), new Talk(wire).hello(clientId).then(() => 'in')])),
  );
  expect(outcomes.filter((outcome) => outcome === 'in')).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === 4504)).toHaveLength(49);
  expect(here.notices).toEqual([]);
  expect(here.engine.wires.websocket).toBe(1);
});

it('[token-4] a spent token that comes again closes the wire, ends every token, and is told', async () => {
  const clientId = newClientId();
  const { token } = await login(clientId);
  const { next } = await enter(token, clientId);
  const inUse = await enter(next, clientId);
  expect(await knock(token)).toBe('401');
  expect(await inUse.wire.closed).toMatchObject({ code: 4404 });
  expect(await knock(inUse.next)).toBe('401');
  expect(here.notices).toEqual([expect.stringContaining('signed out')]);
  const lines = JSON.stringify(here.logged);
  expect(lines).toContain('reused');
  for (const secret of [token, next, inUse.next, here.tokens.key]) expect(lines).not.toContain(secret);
});

it('[token-5] forged tokens and those of another client are refused and logged', async () => {
  expect(await knock('A'.repeat(43))).toBe('401');
  const clientId = newClientId();
  const { token } = await login(clientId);
  const wire = await dial(here.server, token);
  new Talk(wire).say({ type: 'client:hello', protocol: 1, clientId: newClientId(), kind: 'browser', name: 'thief' });
  expect(await wire.closed).toMatchObject({ code: 4406 });
  expect(here.logged.filter(({ event }) => event === 'refused an attempt').map(({ code }) => code)).toEqual([
    'unknown',
    'foreign',
  ]);
});

it('[token-6] tokens outlive the server, and only their hashes are kept', async () => {
  const clientId = newClientId();
  const { token } = await login(clientId);
  const { next, wire } = await enter(token, clientId);
  await here.restart();
  expect(await wire.closed).toMatchObject({ code: 4501 });
  const kept = JSON.stringify(await here.store.getFact('server.tokens'));
  expect(kept).toContain(clientId);
  for (const secret of [token, next]) expect(kept).not.toContain(secret);
  const back = await enter(next, clientId);
  expect(await knock(token)).toBe('401');
  expect(await back.wire.closed).toMatchObject({ code: 4404 });
});

it('[token-7] a token is renewed on an open wire before it expires', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  try {
    const clientId = newClientId();
    const { token, expiresAt } = await login(clientId);
    const { talk, next } = await enter(token, clientId);
    await vi.advanceTimersByTimeAsync(11 * 60_000);
    const { reconnect } = await talk.next('reconnect:token');
    expect(reconnect.token).not.toBe(next);
    expect(reconnect.expiresAt).toBeGreaterThan(expiresAt);
    await vi.advanceTimersByTimeAsync(6 * 60_000);
    expect(await knock(next)).toBe('401');
    await enter(reconnect.token, clientId);
  } finally {
    vi.useRealTimers();
  }
});

it('[client-3] [token-8] a client that is disconnected is out at once, with everything it holds', async () => {
  const clientId = newClientId();
  const { token } = await login(clientId);
  const { wire, talk, next } = await enter(token, clientId);
  const runId = await here.create(ECHO);
  const operator = here.connect();
  const { disconnected } = await operator.call('clients.disconnect', { kind: 'browser' });
  expect(disconnected).toBe(1);
  // Whatever it still sends counts for nothing.
  talk.say({ type: 'call', callId: 1, operation: 'session.delete', params: { runId } });
  expect(await wire.closed).toMatchObject({ code: 4403 });
  expect(await knock(next)).toBe('401');
  const { clients } = await operator.call('clients.list', {});
  expect(clients.find((client) => client.clientId === clientId)).toMatchObject({ state: 'disconnected', road: 'websocket' });
  expect(here.engine.sessions.has(runId)).toBe(true);
});

it('[wire-2] a malformed message closes that wire only', async () => {
  const clientId = newClientId();
  const well = await enter(here.tokens.key, newClientId());
  for (const bad of ['text', Buffer.from([255, 255, 255])]) {
    const wire = await dial(here.server, here.tokens.key);
    await new Talk(wire).hello(clientId);
    wire.socket.send(bad);
    expect(await wire.closed).toMatchObject({ code: 4400 });
  }
  well.talk.say({ type: 'ping', sentAt: 1 });
  await well.talk.next('pong');
});

it('[wire-5] a client that reads nothing is dropped, and slows nobody', async () => {
  const runId: RunId = await here.create(ECHO);
  const { wire, talk } = await enter(here.tokens.key, newClientId());
  const well = await enter(here.tokens.key, newClientId());
  wire.socket.pause();
  // Answers that nobody takes.
  const layoutOf = newClientId();
  const operator = here.connect();
  await operator.call('layout.set', { clientId: layoutOf, layout: 'x'.repeat(900_000) });
  for (let callId = 1; callId <= 100; callId++)
    talk.say({ type: 'call', callId, operation: 'layout.get', params: { clientId: layoutOf } });
  await vi.waitFor(() => expect(here.engine.wires.websocket).toBe(1), { timeout: 20_000 });
  well.talk.say({ type: 'call', callId: 1, operation: 'session.get', params: { runId } });
  await well.talk.next('reply');
  wire.socket.resume();
  expect((await wire.closed).code).not.toBe(1000);
});

it('a message too large to be one is cut off before it is read', async () => {
  const { wire } = await enter(here.tokens.key, newClientId());
  // A header that announces more than a frame may hold.
  const header = Buffer.alloc(14);
  header[0] = 0x82;
  header[1] = 0x80 | 127;
  header.writeBigUInt64BE(400n * 1024n * 1024n, 2);
  Reflect.get(wire.socket, '_socket').write(header);
  expect(await wire.closed).toMatchObject({ code: 1009 });
});

it('a thousand wires are served, and one more is told to come later', async () => {
  const open: Talk[] = [];
  for (let batch = 0; batch < 20; batch++) {
    const wires = await Promise.all(Array.from({ length: 50 }, () => dial(here.server, here.tokens.key)));
    for (const wire of wires) open.push(new Talk(wire));
  }
  await Promise.all(open.map((talk) => talk.hello(newClientId())));
  expect(here.engine.wires.websocket).toBe(1_000);
  const more = await dial(here.server, here.tokens.key);
  expect(await more.closed).toMatchObject({ code: 4505 });
  here.engine.broadcast({ type: 'shell:environment', screenReader: true });
  await Promise.all(open.map((talk) => talk.next('shell:environment')));
  for (const { wire } of open) wire.close({ code: 1000, reason: '' });
  await vi.waitFor(() => expect(here.engine.wires.websocket).toBe(0), { timeout: 20_000 });
}, 60_000);
