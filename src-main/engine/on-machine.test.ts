import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FIRST_EPOCH, MachineId, RunId } from '../../src-shared/ids.ts';
import type { ParamsOf } from '../../src-shared/operations.ts';
import { newReplica } from '../../src-shared/replication.ts';
import { type Ground, ground, newInputId, type TestClient } from './engine.fixture.ts';

const other = MachineId.parse('0193f3a0-0000-7000-8000-00000000000b');
const runId = RunId.parse('0193f3a0-0000-7000-8000-000000000001');
const spec = { kind: 'echo', cwd: '/' } as const;
const models = (machine: string) => ({ models: [{ value: machine, displayName: machine, description: '' }] });
const replica = newReplica(other, 'laptop', 0);

let here: Ground;
let client: TestClient;
/** What goes to another machine. */
const call = vi.fn<(machine: MachineId, operation: string, params: object) => Promise<never>>();
beforeEach(async () => {
  call.mockReset();
  here = await ground(undefined, undefined, { 'claude.models': async (params) => models(`here ${JSON.stringify(params)}`) });
  client = here.connect();
  await client.ready();
});
afterEach(() => here.dispose());

function connectToOthers(): void {
  const unused = () => Promise.reject(new Error('not asked for'));
  here.engine.remote.drive = { execute: unused, keys: () => {}, viewers: () => {}, moved: () => {}, call };
}

it('[where-1] what names no machine, or this one, is done here', async () => {
  connectToOthers();
  for (const params of [{}, { machineId: here.engine.machine.machineId }]) {
    expect(await client.call('claude.models', params)).toEqual(models('here {}'));
  }
  expect(call).not.toHaveBeenCalled();
});

it('[where-1] what names another machine is done there, and refused while there is no way to it', async () => {
  await expect(client.call('claude.models', { machineId: other })).rejects.toThrow('reaches no other one');
  connectToOthers();
  call.mockResolvedValue(models('there') as never);
  expect(await client.call('claude.models', { machineId: other })).toEqual(models('there'));
  expect(call).toHaveBeenCalledWith(other, 'claude.models', {});
  const create: ParamsOf<'session.create'> = { inputId: newInputId(), spec, title: null, machineId: other };
  call.mockRejectedValue(new Error('gone'));
  await expect(client.call('session.create', create)).rejects.toThrow('gone');
  expect(here.engine.sessions.size).toBe(0);
});

it('[where-2] a session that is created on another machine can be attached here when its creator hears of it', async () => {
  connectToOthers();
  // A session's summary, as its host gives it.
  const { session } = await client.call('session.create', { inputId: newInputId(), spec, title: null });
  call.mockImplementation(async () => {
    // Its host says of it on a road of its own, and later.
    setImmediate(
      () => void here.engine.remote.create({ runId, spec, epoch: FIRST_EPOCH, createdTs: 1, branchOf: null }, replica),
    );
    return { session: { ...session, runId, machineId: other, machine: 'laptop' } } as never;
  });
  const params = { inputId: newInputId(), spec, title: 'there', machineId: other };
  const created = await client.call('session.create', params);
  expect(created.session).toMatchObject({ runId, machineId: other, remote: { connection: 'away' } });
  expect(here.engine.session(runId).summary()).toEqual(created.session);
  const { machineId: _there, ...asked } = params;
  expect(call).toHaveBeenCalledWith(other, 'session.create', asked);
});
