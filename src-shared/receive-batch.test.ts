import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { revokeMachine, rotateKey } from './membership-keys.ts';
import { EMPTY_STREAM, inspectBatch, type Received, receiveBatch, type StreamState } from './receive-batch.ts';
import { decrypt, encrypt, Keyring, makeSignKeys, randomBytes, sealReady } from './seal.ts';
import { MAX_BATCH_BYTES, MAX_PAYLOAD_BYTES, NO_BATCH_HASH, type SealedBatch, sealBatch } from './sealed-batch.ts';
import { type TestMachine, testWorkspace } from './sim/workspace.ts';

beforeAll(() => sealReady);

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const STREAM = 'ab'.repeat(16);

function receive(by: TestMachine, batch: SealedBatch | Uint8Array, state: StreamState = EMPTY_STREAM): Received {
  const frame = batch instanceof Uint8Array ? batch : batch.frame;
  return receiveBatch(frame, { membership: by.membership, state, keyring: by.keyring });
}

/** What it comes to: the payload, 'repeated', or why not. */
function outcome(received: Received): string {
  if (received.is === 'opened') return text(received.payload);
  return received.is === 'refused' ? received.why : received.is;
}

function stateAfter(by: TestMachine, ...batches: SealedBatch[]): StreamState {
  let state = EMPTY_STREAM;
  for (const batch of batches) {
    const received = receive(by, batch, state);
    if (received.is !== 'opened') throw new Error(outcome(received));
    state = received.state;
  }
  return state;
}

describe('the seal', () => {
  it('[seal-1] gives members the payload, and nobody anything after a change of any byte', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const batch = a.seal({ kind: 'log', stream: STREAM }, 'what was printed');
    expect(outcome(receive(b, batch))).toBe('what was printed');
    for (let at = 0; at < batch.frame.byteLength; at++) {
      const frame = batch.frame.slice();
      frame[at] = (frame[at] ?? 0) ^ (1 << (at % 8));
      expect(receive(b, frame).is, `byte ${at}`).toBe('refused');
    }
    expect(receive(b, batch.frame.subarray(0, -1)).is).toBe('refused');
    expect(outcome(receive(b, new Uint8Array(MAX_BATCH_BYTES + 1)))).toBe('malformed');
  });

  it('[seal-1] refuses what somebody else signed in a machine’s name', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const { header } = a.seal({ kind: 'log', stream: STREAM });
    const forged = sealBatch(header, randomBytes(10), b.keyring, makeSignKeys().secretKey);
    expect(outcome(receive(b, forged))).toBe('bad-signature');
    expect(inspectBatch(forged, b.membership, EMPTY_STREAM)).toEqual({ is: 'refused', why: 'bad-signature' });
  });

  it('[seal-2] makes payloads of like size batches of the same size, and adds an eighth at most', async () => {
    const [a] = (await testWorkspace()) as [TestMachine];
    const size = (length: number) => a.seal({ kind: 'live', stream: STREAM }, new Uint8Array(length)).frame.byteLength;
    expect(new Set([0, 1, 20, 100].map(size)).size).toBe(1);
    expect(size(4000)).toBe(size(3900));
    const empty = size(0);
    for (const length of [200, 1_000, 10_001, 100_000, 700_001]) expect(size(length) - empty).toBeLessThan(length * 1.13);
    expect(size(MAX_PAYLOAD_BYTES)).toBeLessThan(MAX_BATCH_BYTES);
    expect(() => size(MAX_PAYLOAD_BYTES + 1)).toThrow(/holds/);
  });

  it('[seal-3] uses a key for each purpose and generation', () => {
    const keyring = new Keyring([
      [1, randomBytes(32)],
      [2, randomBytes(32)],
    ]);
    const subKeys = [1, 2].flatMap((generation) =>
      (['events', 'documents', 'index', 'routing'] as const).map((purpose) => keyring.subKey(generation, purpose)),
    );
    const none = new Uint8Array();
    for (const key of subKeys) {
      if (key === null) throw new Error('a key is missing');
      const encrypted = encrypt(key, new TextEncoder().encode('x'), none);
      expect(subKeys.filter((other) => other !== null && decrypt(other, encrypted, none) !== null)).toEqual([key]);
    }
    expect(keyring.subKey(3, 'events')).toBeNull();
    expect(() => keyring.add(1, randomBytes(32))).toThrow(/another key/);
  });

  it('[seal-4] names a stream alike on every machine and in every generation, and unlike its id', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const before = a.keyring.streamName('log', 'run 1');
    const rotated = rotateKey(a.membership, a, 3_000);
    a.apply(rotated);
    b.apply(rotated);
    expect(b.keyring.streamName('log', 'run 1')).toBe(before);
    expect(a.keyring.streamName('document', 'run 1')).not.toBe(before);
    expect(new Keyring([[1, randomBytes(32)]]).streamName('log', 'run 1')).not.toBe(before);
  });

  it('[seal-5] says that a key is missing, so that the batch can be kept until it comes', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const batch = a.seal({ kind: 'document', stream: STREAM });
    const lacking = receiveBatch(batch.frame, { membership: b.membership, state: EMPTY_STREAM, keyring: new Keyring() });
    expect(outcome(lacking)).toBe('no-key');
    expect(outcome(receive(b, batch))).toBe('payload');
  });

  it('[seal-6] takes a batch of a generation only where its sender stood in it', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const oldHead = a.membership.head;
    const rotated = rotateKey(a.membership, a, 3_000);
    a.apply(rotated);
    b.apply(rotated);
    const stale = a.seal({ kind: 'log', stream: STREAM, generation: 1 });
    expect(outcome(receive(b, stale))).toBe('wrong-generation');
    const late = a.seal({ kind: 'log', stream: '01'.repeat(16), generation: 1, chainHead: oldHead });
    expect(outcome(receive(b, late)), 'history').toBe('payload');
    expect(inspectBatch(late, b.membership, EMPTY_STREAM)).toEqual({ is: 'refused', why: 'wrong-generation' });
    const [stranger] = (await testWorkspace()) as [TestMachine];
    expect(outcome(receive(b, stranger.seal({ kind: 'log', stream: STREAM })))).toBe('unknown-head');
  });

  it('[seal-7] accepts nothing new of a revoked machine, and still reads what it wrote before', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const before = b.seal({ kind: 'log', stream: STREAM }, 'before');
    const past = b.seal({ kind: 'input', stream: '02'.repeat(16) });
    a.apply(revokeMachine(a.membership, a, b.machine, 3_000));
    expect(outcome(receive(a, before))).toBe('before');
    expect(outcome(receive(a, past))).toBe('revoked');
    const next = b.seal({ kind: 'log', stream: STREAM }, 'after');
    expect(inspectBatch(next, a.membership, EMPTY_STREAM)).toEqual({ is: 'refused', why: 'revoked' });
    // It does not have the new key; with the old one and the new head it contradicts itself.
    const claiming = b.seal({ kind: 'log', stream: '03'.repeat(16), chainHead: a.membership.head });
    expect(outcome(receive(a, claiming))).toBe('revoked');
    // What the others seal now it cannot open.
    expect(outcome(receiveBatch(a.seal({ kind: 'log', stream: STREAM }).frame, contextOf(a, b.keyring)))).toBe('no-key');
  });

  it('[seal-8] lets a machine that may only look send no input', async () => {
    const [a, b] = (await testWorkspace('view')) as [TestMachine, TestMachine];
    expect(outcome(receive(a, b.seal({ kind: 'input', stream: STREAM })))).toBe('not-allowed');
    expect(outcome(receive(a, b.seal({ kind: 'document', stream: STREAM })))).toBe('payload');
  });
});

const contextOf = (machine: TestMachine, keyring: Keyring) => ({ membership: machine.membership, state: EMPTY_STREAM, keyring });

describe('the order in a stream', () => {
  it('[order-1] takes each batch once, in order, without a gap', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [one, two, three] = [1, 2, 3].map(() => a.seal({ kind: 'log', stream: STREAM })) as [
      SealedBatch,
      SealedBatch,
      SealedBatch,
    ];
    const state = stateAfter(b, one, two);
    expect(outcome(receive(b, two, state))).toBe('repeated');
    expect(outcome(receive(b, one, state))).toBe('replayed');
    expect(outcome(receive(b, three, state))).toBe('payload');
    expect(outcome(receive(b, three, stateAfter(b, one)))).toBe('gap');
    expect(state).toMatchObject({ epoch: 1, holder: a.machine, lastSeq: 2 });
  });

  it('[order-2] refuses a counter that was used for other bytes', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const one = a.seal({ kind: 'document', stream: STREAM }, 'one');
    const other = a.seal({ kind: 'document', stream: STREAM, counter: 1, previousHash: NO_BATCH_HASH }, 'other');
    expect(outcome(receive(b, other, stateAfter(b, one)))).toBe('counter-reused');
  });

  it('[order-3] lets one machine write an epoch, and refuses what is older', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const one = a.seal({ kind: 'log', stream: STREAM });
    const taken = b.seal({ kind: 'log', stream: STREAM, epoch: 2, seqFrom: 2 });
    const rival = b.seal({ kind: 'log', stream: STREAM, epoch: 1, seqFrom: 2, counter: 1, previousHash: NO_BATCH_HASH });
    expect(outcome(receive(b, rival, stateAfter(b, one)))).toBe('not-holder');
    const state = stateAfter(b, one, taken);
    expect(outcome(receive(b, a.seal({ kind: 'log', stream: STREAM }), state))).toBe('fenced');
    // Nobody granted it there.
    expect(inspectBatch(taken, b.membership, stateAfter(b, one))).toEqual({ is: 'refused', why: 'not-holder' });
  });

  it('[order-4] does not depend on what passes unseen', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [one, , three] = [1, 2, 3].map(() => a.seal({ kind: 'live', stream: STREAM })) as [
      SealedBatch,
      SealedBatch,
      SealedBatch,
    ];
    expect(outcome(receive(b, three, stateAfter(b, one)))).toBe('payload');
    expect(outcome(receive(b, one, stateAfter(b, three)))).toBe('replayed');
  });

  it('[order-1] comes to the same whatever is repeated on the way', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const batches = Array.from({ length: 5 }, (_, index) => a.seal({ kind: 'log', stream: STREAM }, `event ${index}`));
    fc.assert(
      fc.property(fc.array(fc.nat(4), { maxLength: 40 }), (order) => {
        let state = EMPTY_STREAM;
        const seen: string[] = [];
        for (const index of [...order, 0, 1, 2, 3, 4]) {
          const received = receive(b, batches[index] as SealedBatch, state);
          if (received.is !== 'opened') continue;
          state = received.state;
          seen.push(text(received.payload));
        }
        expect(seen).toEqual(['event 0', 'event 1', 'event 2', 'event 3', 'event 4'].slice(0, seen.length));
        expect(state.lastSeq).toBe(seen.length);
      }),
      { numRuns: 50 },
    );
  });
});
