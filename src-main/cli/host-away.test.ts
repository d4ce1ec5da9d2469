import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FIRST_EPOCH, MachineId, RunId, Seq } from '../../src-shared/ids.ts';
import type { Command } from '../../src-shared/protocol.ts';
import { newReplica } from '../../src-shared/replication.ts';
import { type Ground, ground, newInputId, type TestClient } from '../engine/engine.fixture.ts';
import type { Outcome } from '../engine/session-commands.ts';
import { sendOrLeave } from './host-away.ts';

const runId = RunId.parse('0193f3a0-0000-7000-8000-000000000001');
const other = MachineId.parse('0193f3a0-0000-7000-8000-00000000000b');
const spec = { kind: 'echo', cwd: '/' } as const;
const replica = newReplica(other, 'laptop', 0);
const command: Command = { kind: 'prompt', inputId: newInputId(), content: { text: 'hello', images: [] } };

let here: Ground;
let client: TestClient;
const said = vi.hoisted(() => vi.fn<(text: string) => void>());
vi.mock(import('./output.ts'), async (original) => ({ ...(await original()), say: said }));
beforeEach(async () => {
  said.mockClear();
  here = await ground();
  await here.engine.remote.create({ runId, spec, epoch: FIRST_EPOCH, createdTs: 1, branchOf: null }, replica);
  client = here.connect();
  await client.ready();
});
afterEach(() => here.dispose());

/** What the machine that hosts the session does with a command. */
function whenAsked(execute: () => Promise<Outcome>): void {
  const call = () => Promise.reject(new Error('not asked for'));
  here.engine.remote.drive = { execute, keys: () => {}, viewers: () => {}, moved: () => {}, call };
}

function tellOutbox(state: 'waiting' | 'sent'): void {
  const items = [{ inputId: command.inputId, kind: command.kind, text: 'hello', since: new Date(0).toISOString(), state }];
  here.engine.broadcast({ type: 'outbox:changed', runId, items });
}

const session = () => here.engine.session(runId).summary();

it('[where-3] does not wait for a machine that is away: what was sent is kept, and whoever sent it is told', async () => {
  whenAsked(() => {
    tellOutbox('waiting');
    return new Promise(() => {});
  });
  expect(await sendOrLeave(client, session(), command)).toBeNull();
  expect(said).toHaveBeenCalledWith(expect.stringContaining('laptop is out of reach'));
});

it('[where-3] waits for the answer of a machine that has the command already', async () => {
  whenAsked(async () => {
    tellOutbox('sent');
    return { ok: true, seq: Seq.parse(7) };
  });
  expect(await sendOrLeave(client, session(), command)).toBe(7);
  expect(said).not.toHaveBeenCalled();
});
