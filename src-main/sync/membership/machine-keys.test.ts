import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Signer } from '../../../src-shared/membership-keys.ts';
import { makeMachineKeys, sealReady, toHex } from '../../../src-shared/seal.ts';
import { testMachineId } from '../../../src-shared/sim/workspace.ts';
import { type KeyProtection, type KeySealer, readMachineKeys, writeMachineKeys } from './machine-keys.ts';

const folder = mkdtempSync(join(tmpdir(), 'baton-keys-'));
const file = join(folder, 'machine-keys.json');
let signer: Signer;
beforeAll(async () => {
  await sealReady;
  signer = { machine: testMachineId(1), keys: makeMachineKeys() };
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Of another system it cannot open anything. */
const keyRing = (system: string): KeySealer => ({
  isAvailable: () => true,
  seal: (text) => Buffer.from(`${system}:${[...text].reverse().join('')}`),
  open: (sealed) => {
    const [by, text = ''] = sealed.toString().split(':');
    if (by !== system) throw new Error('sealed elsewhere');
    return [...text].reverse().join('');
  },
});

it.each<KeyProtection>([
  { by: 'plain' },
  { by: 'passphrase', passphrase: 'pässword' },
  { by: 'key-ring', keyRing: keyRing('here') },
])('[machine-1] gives back what it was given: $by', async (protection) => {
  await writeMachineKeys(file, signer, protection);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const seed = toHex(signer.keys.sign.secretKey.subarray(0, 32));
  expect(readFileSync(file, 'utf8').includes(seed)).toBe(protection.by === 'plain');
  const read = await readMachineKeys(file, { keyRing: keyRing('here'), passphrase: 'pässword' });
  expect(read).toEqual({ is: 'open', signer, by: protection.by });
});

it('[machine-1] stays locked with another passphrase, without one, and with another key ring', async () => {
  await writeMachineKeys(file, signer, { by: 'passphrase', passphrase: 'right' });
  const read = (passphrase: string | null) => readMachineKeys(file, { keyRing: keyRing('here'), passphrase });
  expect(await read(null)).toEqual({ is: 'locked', why: 'passphrase' });
  expect(await read('wrong')).toEqual({ is: 'locked', why: 'wrong-passphrase' });
  // Somebody has put another public key there.
  const swapped = readFileSync(file, 'utf8').replace(toHex(signer.keys.box.publicKey), '0'.repeat(64));
  writeFileSync(file, swapped);
  expect(await read('right')).toEqual({ is: 'locked', why: 'wrong-passphrase' });
  await writeMachineKeys(file, signer, { by: 'key-ring', keyRing: keyRing('elsewhere') });
  expect(await read(null)).toEqual({ is: 'locked', why: 'key-ring' });
});

it('[machine-1] says nothing of what is in a damaged file', async () => {
  writeFileSync(file, '{"secret": "do not log this"');
  const read = readMachineKeys(file, { keyRing: keyRing('here'), passphrase: null });
  await expect(read).rejects.toThrow(/machine-keys.json is not readable/);
  await expect(read).rejects.not.toThrow(/do not log/);
  rmSync(file);
  expect(await readMachineKeys(file, { keyRing: keyRing('here'), passphrase: null })).toEqual({ is: 'none' });
});
