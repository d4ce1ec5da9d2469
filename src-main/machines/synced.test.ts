import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Json } from '../../src-shared/events.ts';
import { MachineId } from '../../src-shared/ids.ts';
import { DEFAULT_SETTINGS } from '../../src-shared/settings.ts';
import { NO_KEY_RING } from '../secrets.ts';
import type { StartSyncPart } from '../sync/sync-context.ts';
import { Synced, type SyncedOptions } from './synced.ts';

let folder: string;
let synced: Synced;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-synced-'));
});
afterEach(async () => {
  await synced.stop();
  await rm(folder, { recursive: true, force: true });
});

it('[machine-17] a start that fails half way leaves nothing running; the next one begins in the same workspace', async () => {
  const facts = new Map<string, Json>();
  let isDiskFull = false;
  const running = new Set<number>();
  let starts = 0;
  const part: StartSyncPart = async () => {
    const number = starts++;
    running.add(number);
    return { stop: () => void running.delete(number) };
  };
  const failing: StartSyncPart = async () => {
    if (isDiskFull) throw new Error('the disk is full');
    return { stop: () => {} };
  };
  const options: SyncedOptions = {
    store: {
      getFact: async (name) => facts.get(name) ?? null,
      setFact: async (name, value) => void facts.set(name, value),
    },
    keysFile: join(folder, 'keys.json'),
    keyRing: NO_KEY_RING,
    settings: () => DEFAULT_SETTINGS,
    setSettings: async () => ({}),
    machineId: () => MachineId.parse('00000000-0000-7000-8000-000000000001'),
    renewMachineId: async () => {},
    machineName: () => 'laptop',
    about: () => ({ state: 'up', version: '0', platform: 'test', sessions: 0, allows: 'start' }),
    parts: () => [part, failing],
    relay: () => null,
    onChange: () => {},
    onNotice: () => {},
    onProblem: () => {},
  };
  synced = await Synced.open(options, null);
  await synced.found();
  const id = synced.about()?.id;
  expect([running.size, id]).toEqual([1, expect.any(String)]);
  await synced.stop();
  isDiskFull = true;
  await expect(Synced.open(options, null)).rejects.toThrow('the disk is full');
  expect(running.size).toBe(0);
  isDiskFull = false;
  synced = await Synced.open(options, null);
  expect([running.size, synced.about()?.id]).toEqual([1, id]);
  // It fails where it is begun anew for another reason, and nobody founds another workspace because of that.
  isDiskFull = true;
  await expect(synced.leave().then(() => synced.found())).rejects.toThrow('the disk is full');
  expect(running.size).toBe(0);
  isDiskFull = false;
  const founded = (facts.get('workspace') as { readonly chain: Json }).chain;
  await synced.found();
  expect((facts.get('workspace') as { readonly chain: Json }).chain).toEqual(founded);
  expect(running.size).toBe(1);
});
