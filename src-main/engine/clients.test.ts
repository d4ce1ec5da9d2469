import { afterEach, beforeEach, expect, it } from 'vitest';
import { ClientId } from '../../src-shared/ids.ts';
import type { ClientKind } from '../../src-shared/operations.ts';
import type { CloseReason } from '../../src-shared/refusal.ts';
import { Clients, type ClientWire } from './clients.ts';

const MINUTE = 60_000;
const idOf = (number: number) => ClientId.parse(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`);

let now: number;
let changes: number;
let clients: Clients;
beforeEach(() => {
  now = 1_000_000;
  changes = 0;
  const clock = { nowMs: () => now, wallMs: () => 1_800_000_000_000 + now };
  clients = new Clients({ idleMs: () => 5 * MINUTE, onChange: () => void changes++, clock });
});
afterEach(() => clients.stop());

class TestWire implements ClientWire {
  readonly client: NonNullable<ClientWire['client']>;
  readonly road = 'websocket';
  readonly sessions = [];
  heardMs = now;
  closed: CloseReason | null = null;
  constructor(number: number, kind: ClientKind = 'browser') {
    this.client = { clientId: idOf(number), kind, name: `client ${number}` };
    clients.joined(this);
  }
  close(why: CloseReason): void {
    this.closed = why;
    clients.left(this, why);
  }
}

/** Time in which this machine is awake: it looks every five seconds. */
function pass(ms: number, heard: readonly TestWire[] = []): void {
  for (let passed = 0; passed < ms; passed += 5_000) {
    now += 5_000;
    for (const wire of heard) wire.heardMs = now;
    clients.look();
  }
}
const states = () => Object.fromEntries(clients.list().map(({ name, state }) => [name, state]));

it('[client-1] a client is active while it is heard, idle when it is silent, disconnected after five minutes, and active again on return', () => {
  const quiet = new TestWire(1);
  const alive = new TestWire(2);
  expect(states()).toEqual({ 'client 1': 'active', 'client 2': 'active' });
  pass(30_000, [alive]);
  expect(states()).toEqual({ 'client 1': 'idle', 'client 2': 'active' });
  // What a lost connection looks like: it may be back.
  quiet.close({ code: 1006, reason: 'gone' });
  expect(states()['client 1']).toBe('idle');
  const before = changes;
  pass(5 * MINUTE, [alive]);
  expect(states()).toEqual({ 'client 1': 'disconnected', 'client 2': 'active' });
  expect(changes).toBe(before + 1);
  new TestWire(1);
  expect(states()['client 1']).toBe('active');
});

it('[client-1] one that says goodbye is disconnected at once', () => {
  new TestWire(1).close({ code: 1001, reason: 'the tab was closed' });
  expect(states()).toEqual({ 'client 1': 'disconnected' });
});

it('[client-1] a program that asks by single requests is a client too', () => {
  const api = { clientId: idOf(7), kind: 'api' as const, name: 'curl' };
  clients.heard(api);
  expect(clients.list()).toMatchObject([{ kind: 'api', state: 'active', road: 'http', sessions: [] }]);
  pass(MINUTE);
  expect(states()).toEqual({ curl: 'idle' });
  clients.heard(api);
  expect(states()).toEqual({ curl: 'active' });
  // Requests of a page do not change what is known of it by its wire.
  const wire = new TestWire(3);
  clients.heard({ clientId: wire.client.clientId, kind: 'api', name: 'Mozilla' });
  expect(clients.list().find(({ clientId }) => clientId === wire.client.clientId)).toMatchObject({
    kind: 'browser',
    name: 'client 3',
    road: 'websocket',
  });
});

it('[client-2] nobody is taken for gone because this machine slept', () => {
  new TestWire(1).close({ code: 1006, reason: 'gone' });
  pass(MINUTE);
  now += 3 * 60 * MINUTE;
  clients.look();
  expect(states()).toEqual({ 'client 1': 'idle' });
  pass(5 * MINUTE);
  expect(states()).toEqual({ 'client 1': 'disconnected' });
});

it('[client-3] disconnects those of a kind, or one, but never who asks', () => {
  const told: string[] = [];
  clients.onDisconnect((clientId) => told.push(clientId));
  const wires = [new TestWire(1), new TestWire(2), new TestWire(3, 'cli')];
  expect(clients.disconnect({ kind: 'browser' }, idOf(2))).toBe(1);
  expect(wires.map(({ closed }) => closed?.code)).toEqual([4403, undefined, undefined]);
  expect(clients.disconnect({ clientId: idOf(3) }, idOf(2))).toBe(1);
  expect(clients.disconnect({ clientId: idOf(3) }, idOf(2))).toBe(0);
  expect(told).toEqual([idOf(1), idOf(3)]);
});

it('forgets those who have gone longest ago', () => {
  for (let number = 1; number <= 300; number++) {
    now += 1;
    new TestWire(number).close({ code: 1000, reason: 'bye' });
  }
  const listed = clients.list();
  expect(listed).toHaveLength(200);
  expect(listed[0]?.name).toBe('client 300');
  expect(listed.at(-1)?.name).toBe('client 101');
});
