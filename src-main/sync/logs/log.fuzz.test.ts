import { randomBytes } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { SYSTEM_CLOCK } from '../../../src-shared/client.ts';
import { newReplica } from '../../../src-shared/replication.ts';
import { sealReady } from '../../../src-shared/seal.ts';
import { type Chance, FUZZ_WITHIN_MS, fuzz, mutatedBytes } from '../../../src-shared/sim/fuzz.ts';
import { type TestMachine, testWorkspace } from '../../../src-shared/sim/workspace.ts';
import { runIdOf } from '../../store/store.fixture.ts';
import type { Following } from '../link/link.ts';
import type { SyncContext } from '../sync-context.ts';
import { describeLarge, fetchLarge } from './large-event.ts';
import { decodeLog, encodeLog, unpack } from './log-payload.ts';
import { type LogSink, Replica } from './replica.ts';

const runId = runIdOf(1);
let host: TestMachine;
let reader: TestMachine;
let third: TestMachine;
beforeAll(async () => {
  await sealReady;
  [host, reader, third] = (await testWorkspace('start', 'start')) as [TestMachine, TestMachine, TestMachine];
});

/** Three events and a gap, from number `from` on. */
function honest(from: number, large = false): Promise<Uint8Array> {
  const common = { epoch: 1, ts: 5, channel: 'pty:stdout', type: 'data' };
  const items = [
    { ...common, seq: from, isJson: false, payload: Uint8Array.from(Buffer.from('what was printed')) },
    { ...common, seq: from + 1, isJson: true, payload: Uint8Array.from(Buffer.from('{"a":[1,2,{"b":"c"}]}')) },
    { fromSeq: from + 2, toSeq: from + 4, epoch: 1, ts: 6, bytes: 100, reason: 'removed', hash: 'ab'.repeat(32) },
    { ...common, seq: from + 5, isJson: false, payload: Uint8Array.from(Buffer.from('x'.repeat(400))) },
  ];
  const page = { items: large ? items.filter((item) => 'isJson' in item).slice(0, 1) : items, headHash: 'cd'.repeat(32) };
  return encodeLog(from, page as unknown as Parameters<typeof encodeLog>[1], large);
}

/** What is in it, changed before it is deflated or after. */
async function mutated(payload: Uint8Array, chance: Chance): Promise<Uint8Array> {
  if (chance.below(2) === 0) return mutatedBytes(payload, chance);
  return Uint8Array.from(Buffer.concat([Buffer.from([1, 0]), mutatedBytes(await unpack(payload), chance)]));
}

/** A machine that is told what comes by hand. */
function contextOf(onFollow: (following: Following) => void): SyncContext {
  const { membership, keyring } = reader;
  return {
    signer: reader,
    membership,
    keyring,
    onMembership: () => () => {},
    nextPassCounter: () => 1,
    clock: { ...SYSTEM_CLOCK, setTimer: () => () => {} },
    onProblem: () => {},
    link: {
      state: { is: 'connecting', sinceMs: 0 },
      onState: () => () => {},
      onMessage: () => () => {},
      ask: () => Promise.reject(new Error('nobody is asked')),
      bulkBytes: 1024 * 1024,
      append: () => Promise.reject(new Error('nothing is sent')),
      appendBulk: () => Promise.reject(new Error('nothing is sent')),
      pass: () => false,
      signLease: () => new Uint8Array(64),
      retryNow: () => {},
      follow: (_, following) => {
        onFollow(following);
        return () => {};
      },
    },
  };
}

it(
  '[replica-10] what a mutated payload of a log holds is all of what it says, in order, or nothing',
  async () => {
    const payloads = [await honest(5), await honest(5, true)];
    await fuzz(2_000, async (chance) => {
      const range = { runId, from: 5, to: chance.pick([5, 10]), known: chance.pick([4, 6]) };
      const piece = await decodeLog(await mutated(chance.pick(payloads), chance), range).catch(() => null);
      if (piece === null || piece.missing !== null) return;
      const spans = [
        ...piece.events.map(({ seq }) => [seq, seq] as const),
        ...piece.gaps.map(({ fromSeq, toSeq }) => [fromSeq, toSeq] as const),
      ].sort(([a], [b]) => a - b);
      let next = range.known + 1;
      for (const [from, to] of spans) {
        expect(from).toBe(next);
        next = to + 1;
      }
      if (spans.length > 0) expect(next).toBe(range.to + 1);
      for (const event of piece.events) expect(event.runId).toBe(runId);
    });
  },
  FUZZ_WITHIN_MS,
);

it(
  '[replica-8] [replica-10] a replica takes no batch that is not the next of its host’s, whoever sealed it and however',
  async () => {
    const stream = host.keyring.streamName('log', runId);
    await fuzz(500, async (chance) => {
      const state = newReplica(host.machine, 'host', 1);
      const taken: number[] = [];
      const sink: LogSink = {
        append: async (_, { events, gaps, replica }) => {
          taken.push(...events.map(({ seq }) => seq), ...gaps.map(({ toSeq }) => toSeq));
          expect(replica.lastSeq).toBe(Math.max(...taken));
        },
        note: async () => {},
      };
      let following: Following | null = null;
      const context = contextOf((it) => {
        following = it;
      });
      const replica = new Replica(context, { runId, state, sink, lane: () => 'rest', onStanding: () => {}, onNotice: () => {} });
      replica.follow();
      const hear = async (frame: Uint8Array) => (following as Following | null)?.onBatch(frame, 1);
      const from = chance.pick([1, 2, 7]);
      const range = { seqFrom: from, seqTo: from + 5, counter: 1 + chance.below(3), epoch: chance.pick([0, 1, 2]) };
      const author = chance.pick([host, host, third]);
      const kind = chance.pick(['log', 'log', 'log', 'index', 'document'] as const);
      const payload = chance.below(3) === 0 ? await honest(from) : await mutated(await honest(from), chance);
      const { frame } = author.seal({ kind, stream, previousHash: '0'.repeat(64), ...range }, payload);
      const isForged = chance.below(4) === 0;
      await hear(isForged ? mutatedBytes(frame, chance) : frame);
      const mayBeTaken = author === host && kind === 'log' && from === 1 && range.epoch > 0 && !isForged;
      if (!mayBeTaken) expect(taken).toEqual([]);
      expect(replica.state.lastSeq).toBe(taken.length === 0 ? 0 : 6);
      await replica.stop();
    });
  },
  FUZZ_WITHIN_MS,
);

it(
  '[replica-11] an event that comes in pieces is what its host named, or is not taken',
  async () => {
    const payload = Uint8Array.from(randomBytes(3_000));
    const { bytes, hash } = describeLarge(payload);
    const stream = host.keyring.streamName('piece', `${runId}:1`);
    await fuzz(500, async (chance) => {
      let following: Following | null = null;
      const context = contextOf((it) => {
        following = it;
      });
      const { whole, end } = fetchLarge(context, { stream, host: host.machine, bytes, hash, lane: 'rest' });
      const fetched = whole.then(
        (it) => Buffer.from(it).equals(payload),
        () => 'refused' as const,
      );
      let previousHash = '0'.repeat(64);
      const wrong = chance.below(4);
      for (let piece = 0; piece < 3; piece++) {
        const cut = payload.subarray(piece * 1_000, (piece + 1) * 1_000);
        const isIt = piece === wrong;
        const by = isIt && chance.below(4) === 0 ? third : host;
        const inside = isIt && chance.below(2) === 0 ? mutatedBytes(cut, chance) : cut;
        const batch = by.seal({ kind: 'document', stream, counter: piece + 1, previousHash }, inside);
        previousHash = batch.hash;
        await (following as Following | null)?.onBatch(
          isIt && chance.below(2) === 0 ? mutatedBytes(batch.frame, chance) : batch.frame,
          piece + 1,
        );
      }
      const outcome = await Promise.race([fetched, new Promise<'waits'>((resolve) => setImmediate(() => resolve('waits')))]);
      if (wrong === 3) expect(outcome).toBe(true);
      else expect(outcome).not.toBe(false);
      end();
    });
  },
  FUZZ_WITHIN_MS,
);
