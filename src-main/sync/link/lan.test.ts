import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import { CLOSE } from '../../../src-shared/refusal.ts';
import { parseFromRelay } from '../../../src-shared/relay-protocol.ts';
import { Keyring, randomBytes, sealReady } from '../../../src-shared/seal.ts';
import { RelayProcess } from '../../relay/relay.fixture.ts';
import { Lan, openPinnedWire } from './lan.ts';

beforeAll(() => sealReady);
const started: Lan[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((lan) => lan.stop()));
});

const keyringOf = () => new Keyring([[1, randomBytes(32)]]);

async function lan(keyring: Keyring, announcePort: number | null, onFound = () => {}): Promise<Lan> {
  const onProblem = (message: string, error?: unknown) => console.error(message, error);
  const it = await Lan.start({ keyring, announcePort, onFound, onProblem });
  started.push(it);
  return it;
}

it('[embedded-3] is found by machines of the workspace, and by no others', async () => {
  const keyring = keyringOf();
  const found = vi.fn();
  const member = await lan(keyring, null, found);
  const stranger = await lan(keyringOf(), null);
  await lan(keyring, 12_345);
  await vi.waitFor(() => expect(found).toHaveBeenCalled(), { timeout: 20_000 });
  expect(member.urls).toContainEqual(expect.stringMatching(/^ws:\/\/[\d.]+:12345$/));
  expect(stranger.urls).toEqual([]);
});

it('[embedded-3] goes to the relay with the known key only, and misses nothing that it said', async () => {
  const relay = new RelayProcess();
  await relay.start();
  try {
    const url = `ws://127.0.0.1:${relay.port}`;
    const client = await relay.connect();
    const { relayKey } = await client.first('challenge');
    expect(await openPinnedWire(url, randomBytes(32))).toBeNull();
    expect(await openPinnedWire('ws://127.0.0.1:1', relayKey)).toBeNull();
    const wire = await openPinnedWire(url, relayKey);
    if (wire === null) throw new Error('it was not opened');
    const greeting = await new Promise<Uint8Array>((resolve) => {
      wire.onFrame = resolve;
    });
    expect(parseFromRelay(greeting)).toMatchObject({ type: 'challenge' });
    wire.close(CLOSE.shuttingDown);
  } finally {
    await relay.dispose();
  }
});
