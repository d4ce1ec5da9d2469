import { MachineId } from '../ids.ts';
import type { Rights } from '../machines.ts';
import { applyEntry, type Membership } from '../membership.ts';
import { addMachine, foundWorkspace, type Newcomer, type Signer, takeKeys } from '../membership-keys.ts';
import { Keyring, makeMachineKeys, sealReady, toHex } from '../seal.ts';
import { type BatchHeader, NO_BATCH_HASH, type SealedBatch, sealBatch } from '../sealed-batch.ts';

/** Machines of a workspace for tests: each with keys of its own, a copy of the chain and the keyring that it makes of it. */
export class TestMachine implements Signer {
  readonly machine: MachineId;
  readonly keys = makeMachineKeys();
  readonly keyring = new Keyring();
  readonly entries: Uint8Array[] = [];
  #membership: Membership | null = null;
  readonly #sent = new Map<string, SealedBatch>();

  constructor(number: number) {
    this.machine = testMachineId(number);
  }

  get membership(): Membership {
    if (this.#membership === null) throw new Error('the machine is in no workspace yet');
    return this.#membership;
  }

  get newcomer(): Newcomer {
    const { sign, box } = this.keys;
    const name = `machine ${this.machine.slice(-2)}`;
    return { machine: this.machine, signKey: toHex(sign.publicKey), boxKey: toHex(box.publicKey), name };
  }

  /** As a machine follows its chain; throws where it would stop. */
  apply(bytes: Uint8Array): void {
    const applied = applyEntry(this.#membership, bytes);
    if (applied.is === 'known') return;
    if (applied.is !== 'applied') throw new Error(`the entry is not applied: ${applied.is === 'fork' ? 'a fork' : applied.why}`);
    if (!takeKeys(this.keyring, applied.entry, applied.membership, this)) throw new Error('the entry has wrong keys');
    this.#membership = applied.membership;
    this.entries.push(bytes);
  }

  /** The next batch of this machine in a stream; nothing has to be said that follows from the one before. */
  seal(
    change: Partial<BatchHeader> & Pick<BatchHeader, 'kind' | 'stream'>,
    payload: string | Uint8Array = 'payload',
  ): SealedBatch {
    const chain = `${change.kind} ${change.stream}`;
    const last = this.#sent.get(chain);
    const isLog = change.kind === 'log';
    const seqFrom = change.seqFrom ?? (isLog ? (last?.header.seqTo ?? 0) + 1 : 0);
    const batch = sealBatch(
      {
        generation: this.membership.generation,
        epoch: isLog ? 1 : 0,
        seqTo: seqFrom,
        counter: (last?.header.counter ?? 0) + 1,
        machine: this.machine,
        previousHash: last?.hash ?? NO_BATCH_HASH,
        chainHead: this.membership.head,
        ...change,
        seqFrom,
      },
      typeof payload === 'string' ? new TextEncoder().encode(payload) : payload,
      this.keyring,
      this.keys.sign.secretKey,
    );
    this.#sent.set(chain, batch);
    return batch;
  }
}

export function testMachineId(number: number): MachineId {
  return MachineId.parse(`00000000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`);
}

/** As many machines as there are rights in `others`, and the founder in front of them. All have the same chain. */
export async function testWorkspace(...others: Rights[]): Promise<TestMachine[]> {
  await sealReady;
  const founder = new TestMachine(1);
  founder.apply(foundWorkspace(founder, 'founder', 1_000));
  const machines = [founder];
  for (const [index, rights] of others.entries()) {
    const added = new TestMachine(index + 2);
    const entry = addMachine(founder.membership, founder, founder.keyring, { ...added.newcomer, rights }, 2_000 + index);
    for (const earlier of founder.entries) added.apply(earlier);
    machines.push(added);
    for (const machine of machines) machine.apply(entry);
  }
  return machines;
}
