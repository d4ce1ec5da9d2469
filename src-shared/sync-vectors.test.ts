import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as z from 'zod/mini';
import { MachineId } from './ids.ts';
import { liveMember, type Member } from './membership.ts';
import { nameOf } from './membership-keys.ts';
import { EMPTY_STREAM, receiveBatch } from './receive-batch.ts';
import { fromHex, Keyring, type MachineKeys, type Purpose, sealReady, signKeysFrom, toHex } from './seal.ts';
import { TestMachine } from './sim/workspace.ts';

const Vectors = z.object({
  machine: z.object({
    machineId: MachineId,
    signSeed: z.string(),
    signKey: z.string(),
    boxSecretKey: z.string(),
    boxKey: z.string(),
    name: z.string(),
  }),
  chain: z.array(z.string()),
  workspace: z.string(),
  chainHead: z.string(),
  generations: z.array(z.object({ generation: z.number(), key: z.string(), subKeys: z.record(z.string(), z.string()) })),
  streams: z.array(z.object({ kind: z.string(), id: z.string(), name: z.string() })),
  batches: z.array(z.object({ header: z.unknown(), payload: z.string(), frame: z.string(), hash: z.string() })),
});

const vectors = Vectors.parse(JSON.parse(readFileSync(new URL('../docs/sync-vectors.json', import.meta.url), 'utf8')));

class VectorMachine extends TestMachine {
  override readonly keys: MachineKeys = {
    sign: signKeysFrom(fromHex(vectors.machine.signSeed)),
    box: { publicKey: fromHex(vectors.machine.boxKey), secretKey: fromHex(vectors.machine.boxSecretKey) },
  };
}

it('[seal-10] opens the documented examples', async () => {
  await sealReady;
  const machine = new VectorMachine(1);
  expect(machine.machine).toBe(vectors.machine.machineId);
  expect(toHex(machine.keys.sign.publicKey)).toBe(vectors.machine.signKey);
  for (const entry of vectors.chain) machine.apply(fromHex(entry));
  expect(machine.membership.workspace).toBe(vectors.workspace);
  expect(machine.membership.head).toBe(vectors.chainHead);
  expect(nameOf(liveMember(machine.membership, machine.machine) as Member, machine.keyring)).toBe(vectors.machine.name);
  expect(machine.keyring.keys().map(([generation, key]) => [generation, toHex(key)])).toEqual(
    vectors.generations.map(({ generation, key }) => [generation, key]),
  );
  for (const { generation, key, subKeys } of vectors.generations) {
    const keyring = new Keyring([[generation, fromHex(key)]]);
    for (const [purpose, expected] of Object.entries(subKeys)) {
      expect(toHex(keyring.subKey(generation, purpose as Purpose) as Uint8Array)).toBe(expected);
    }
  }
  for (const { kind, id, name } of vectors.streams) expect(machine.keyring.streamName(kind, id)).toBe(name);
  for (const { header, payload, frame, hash } of vectors.batches) {
    const { membership, keyring } = machine;
    const received = receiveBatch(fromHex(frame), { membership, keyring, state: EMPTY_STREAM });
    if (received.is !== 'opened') throw new Error(`the example is not opened: ${received.is === 'refused' ? received.why : ''}`);
    expect(new TextDecoder().decode(received.payload)).toBe(payload);
    expect(received.batch.header).toEqual(header);
    expect(received.batch.hash).toBe(hash);
  }
});
