import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FIRST_EPOCH } from '../../src-shared/ids.ts';
import { encodeMessage, PROTOCOL_VERSION } from '../../src-shared/protocol.ts';
import { FUZZ_WITHIN_MS, fuzz, mutatedMessage } from '../../src-shared/sim/fuzz.ts';
import { type Wire, wirePair } from '../../src-shared/wire.ts';
import { runIdOf } from '../store/store.fixture.ts';
import { ECHO, type Ground, ground, newClientId, newInputId, watch } from './engine.fixture.ts';

let here: Ground;
beforeEach(async () => {
  here = await ground();
});
afterEach(() => here.dispose());

it(
  '[wire-2] clients that say what they like change nothing, and lose no wire but their own',
  async () => {
    const { engine, store } = here;
    const runId = await here.create(ECHO);
    const other = here.connect();
    const watcher = watch(other, runId);
    await watcher.until(() => watcher.state !== null);
    const [epoch, wrong] = [FIRST_EPOCH, 50];
    const prompt = { kind: 'prompt', inputId: newInputId(), content: { text: 'x', images: [] } };
    const target = { kind: 'prompt-move', inputId: newInputId(), target: newInputId(), before: null };
    // Each of them is nothing to be done: what is named is not there, or what is said is not enough. One change does not make it right.
    const honest = [
      { type: 'run:attach', runId: runIdOf(9), attachId: 1, after: 0, viewport: { cols: 80, rows: 24 } },
      { type: 'run:ack', runId, attachId: 1, parsedBytes: 1 },
      { type: 'run:input', runId: runIdOf(9), epoch: wrong, input: prompt },
      { type: 'run:input', runId, epoch: wrong, input: target },
      { type: 'run:input', runId, epoch, input: target },
      { type: 'run:input', runId: runIdOf(9), epoch, input: { kind: 'keys', data: new Uint8Array([3]) } },
      { type: 'run:close', runId: runIdOf(9), inputId: newInputId() },
      { type: 'call', callId: 1, operation: 'session.create', params: { spec: ECHO, title: null } },
      { type: 'call', callId: 1, operation: 'session.delete', params: { runId: runIdOf(9) } },
      { type: 'call', callId: 1, operation: 'draft.set', params: { runId, text: 5, base: null } },
      { type: 'call', callId: 1, operation: 'layout.set', params: { clientId: randomUUID(), layout: { a: [1, { b: 2 }] } } },
    ];
    const state = async () => ({
      sessions: [...engine.sessions.keys()],
      log: await store.verify(runId),
      of: engine.session(runId).log.published,
    });
    const before = await state();
    // One that comes back each time: the engine remembers those that it has seen.
    const clientId = newClientId();
    let isOpen = false;
    let wire: Wire;
    const connect = () => {
      const [near, far] = wirePair();
      wire = near;
      isOpen = true;
      near.onFrame = () => {};
      near.onClose = () => {
        isOpen = false;
      };
      engine.attachWire(far, { isLocal: false, road: 'websocket' });
      const hello = { protocol: PROTOCOL_VERSION, clientId, kind: 'test', name: 'x' } as const;
      near.send(encodeMessage({ type: 'client:hello', ...hello }));
    };
    await fuzz(500, async (chance) => {
      if (!isOpen) connect();
      wire.send(mutatedMessage(chance.pick(honest), chance));
      await new Promise((resolve) => setImmediate(resolve));
    });
    await store.sync();
    expect(await state()).toEqual(before);
    expect(here.problems).toEqual([]);
    expect(other.connection.is).toBe('live');
  },
  FUZZ_WITHIN_MS,
);
