import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ClientId, MachineId } from '../../src-shared/ids.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../src-shared/settings.ts';
import { openStderrLogger } from '../logger.ts';
import { NO_KEY_RING } from '../secrets.ts';
import { openStore, type Store } from '../store/store.ts';
import type { StartSyncPart } from '../sync/sync-context.ts';
import { Machines } from './machines.ts';

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let store: Store;
let running: Machines[];
beforeEach(async () => {
  vi.stubEnv('BATON_LOG', 'warn');
  folder = mkdtempSync(join(tmpdir(), 'baton-machines-'));
  store = await openStore({ file: join(folder, 'baton.db') });
  running = [];
});
afterEach(async () => {
  for (const machines of running) await machines.stop();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const machineId = MachineId.parse(randomUUID());

function machinesWith(parts: readonly StartSyncPart[]): Machines {
  let settings: Settings = { ...DEFAULT_SETTINGS, 'relay.port': 0, 'relay.embedded': true, 'machines.keyProtection': 'plain' };
  const machines = new Machines({
    store,
    logger: openStderrLogger(),
    keyRing: NO_KEY_RING,
    passphrase: null,
    onNotice: () => {},
    onProblem: () => {},
    keysFile: join(folder, 'keys.json'),
    dataFolder: folder,
    settings: () => settings,
    setSettings: async (changes) => {
      settings = { ...settings, ...changes } as Settings;
    },
    machineId: () => machineId,
    renewMachineId: async () => {},
    machineName: () => 'here',
    about: () => ({ state: 'up', version: '0', platform: 'test', sessions: 0, allows: 'start' }),
    parts: () => parts,
    broadcast: () => {},
  });
  running.push(machines);
  return machines;
}

const isConnected = (machines: Machines) => vi.waitFor(() => expect(machines.list().relay.state).toBe('live'));

it('[machine-16] is connected to its own relay, whichever of the two is ready first', async () => {
  const caller = { clientId: ClientId.parse(randomUUID()), signal: new AbortController().signal, road: 'window' } as const;
  const before = machinesWith([]);
  await before.operations['relay.start']?.({}, caller);
  await before.operations['pairing.offer']?.({ rights: 'start' }, caller);
  await isConnected(before);
  await before.stop();
  // The relay is ready while what syncs is still being started.
  const after: Machines = machinesWith([
    async () => {
      await vi.waitFor(() => expect(after.list().relay.embedded?.running).toBe(true));
      return { stop: () => {} };
    },
  ]);
  await after.start();
  await isConnected(after);
});
