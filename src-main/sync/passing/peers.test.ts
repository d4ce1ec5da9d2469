import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FIRST_EPOCH, InputId, RunId } from '../../../src-shared/ids.ts';
import {
  type Beat,
  encodePeerFrame,
  FRESH_MS,
  PEER_VERSION,
  type PeerFrame,
  parsePeerFrame,
} from '../../../src-shared/peer-protocol.ts';
import { EMPTY_STREAM, receiveBatch } from '../../../src-shared/receive-batch.ts';
import { NO_BATCH_HASH } from '../../../src-shared/sealed-batch.ts';
import { type SyncedMachine, SyncedMachines } from '../sync.fixture.ts';
import { type SyncContext, seal } from '../sync-context.ts';
import { type PeerMessage, Peers } from './peers.ts';

const runId = RunId.parse('0190c1de-0000-7000-8000-000000000001');

/** One machine as the tests see it: what it was told, the frames that reached it, and a clock that can be set forward. */
class Peer {
  readonly machine: SyncedMachine;
  readonly peers: Peers;
  readonly told: PeerMessage[] = [];
  readonly frames: Uint8Array[] = [];
  skewMs = 0;
  feed: (frame: Uint8Array) => unknown = () => undefined;
  readonly #listeners = new Set<() => void>();

  constructor(machine: SyncedMachine) {
    this.machine = machine;
    const { link } = machine;
    const nowMs = () => machine.clock.nowMs() + this.skewMs;
    const context: SyncContext = {
      signer: machine.signer,
      get membership() {
        return machine.membership;
      },
      get keyring() {
        return machine.keyring;
      },
      onMembership: (listener) => machine.onMembership(listener),
      nextPassCounter: () => machine.nextPassCounter(),
      clock: { ...machine.clock, nowMs },
      onProblem: machine.onProblem,
      link: {
        get state() {
          return link.state;
        },
        onState: (listener) => link.onState(listener),
        onMessage: (listener) => link.onMessage(listener),
        ask: (request) => link.ask(request),
        get bulkBytes() {
          return link.bulkBytes;
        },
        append: (frame, lane) => link.append(frame, lane),
        appendBulk: (frame, lane) => link.appendBulk(frame, lane),
        pass: (frame) => link.pass(frame),
        signLease: (stream, epoch, holder) => link.signLease(stream, epoch, holder),
        retryNow: () => link.retryNow(),
        follow: (stream, following) => {
          this.feed = (frame) => following.onBatch(frame, null);
          const onBatch = (frame: Uint8Array) => {
            this.frames.push(frame.slice());
            following.onBatch(frame, null);
            for (const listener of this.#listeners) listener();
          };
          return link.follow(stream, { ...following, onBatch });
        },
      },
    };
    this.peers = new Peers(context);
    this.peers.onMessage((_from, message) => {
      this.told.push(message);
      for (const listener of this.#listeners) listener();
    });
    this.peers.onSeen(() => {
      for (const listener of this.#listeners) listener();
    });
  }

  get id() {
    return this.machine.signer.machine;
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!holds()) return;
        this.#listeners.delete(look);
        resolve();
      };
      this.#listeners.add(look);
      look();
    });
  }
}

let synced: SyncedMachines;
let a: Peer;
let b: Peer;
let viewer: Peer;
beforeAll(async () => {
  synced = await SyncedMachines.start('start', 'view');
  const [first, second, third] = synced.machines.map((machine) => new Peer(machine));
  if (first === undefined || second === undefined || third === undefined) throw new Error('three machines were asked for');
  [a, b, viewer] = [first, second, third];
  for (const peer of [a, b, viewer])
    await peer.until(() => [a, b, viewer].every(({ id }) => id === peer.id || peer.peers.isOnline(id)));
  await Promise.all([a.peers.fresh(b.id), b.peers.fresh(a.id), viewer.peers.fresh(a.id)]);
});
afterAll(async () => {
  for (const peer of [a, b, viewer]) peer.peers.stop();
  await synced.dispose();
});

const command = (text: string, inputId: string = randomUUID()): Extract<PeerMessage, { type: 'command' }> => ({
  type: 'command',
  runId,
  epoch: FIRST_EPOCH,
  clientId: randomUUID(),
  command: { kind: 'prompt', inputId: InputId.parse(inputId), content: { text, images: [] } },
});
const has = (peer: Peer, message: PeerMessage) => peer.told.some((told) => JSON.stringify(told) === JSON.stringify(message));

/** A frame of `from` to `to` as a hostile member may make it: properly sealed, whatever is in it. */
function sealed(from: Peer, to: Peer, kind: 'input' | 'live', payload: Uint8Array): Uint8Array {
  const counter = from.machine.nextPassCounter();
  const stream = from.machine.keyring.streamName('input', to.id);
  return seal(from.machine, { kind, stream, epoch: 0, seqFrom: 0, seqTo: 0, counter, previousHash: NO_BATCH_HASH }, payload)
    .frame;
}
/** As `to` last heard it from `from`'s frames. */
function beatOf(from: Peer, to: Peer): Beat {
  for (const frame of to.frames.toReversed()) {
    const { membership, keyring } = to.machine;
    const received = receiveBatch(frame, { membership, keyring, state: EMPTY_STREAM });
    if (received.is !== 'opened' || received.batch.header.machine !== from.id) continue;
    const parsed = parsePeerFrame(received.payload);
    if (parsed !== null) return parsed.beat;
  }
  throw new Error('nothing was heard');
}
const frameOf = (body: PeerFrame['body'], beat: Beat, heard: Beat | null) =>
  encodePeerFrame({ v: PEER_VERSION, beat, heard, body });

it('[peer-1] machines hear each other, with messages of every size, each once and in order', async () => {
  const large = command('x'.repeat(900_000));
  const messages = [command('one'), large, command('two')];
  for (const message of messages) expect(await a.peers.send(b.id, message)).toBe('reached');
  await b.until(() => messages.every((message) => has(b, message)));
  expect(
    b.told.map((told) => (told.type === 'command' && told.command.kind === 'prompt' ? told.command.content.text.length : 0)),
  ).toEqual([3, 900_000, 3]);
});

it('[peer-1] refuses what is too large for any machine', async () => {
  const base64 = 'A'.repeat(14_000_000);
  const { command: prompt, ...rest } = command('look');
  if (prompt.kind !== 'prompt') throw new Error('not a prompt');
  const images = Array.from({ length: 5 }, () => ({ mediaType: 'image/png' as const, base64 }));
  const message: PeerMessage = { ...rest, command: { ...prompt, content: { text: 'look', images } } };
  await expect(a.peers.send(b.id, message)).rejects.toThrow('64 MB');
});

it('[peer-2] takes a frame once, however often the relay shows it', async () => {
  const message = command('once');
  await a.peers.send(b.id, message);
  await b.until(() => has(b, message));
  const count = b.told.length;
  for (const frame of b.frames) b.feed(frame);
  expect(b.told.length).toBe(count);
});

it('[peer-3] does nothing because of what was said long ago, or to another life of the machine', async () => {
  const late = command('late');
  b.skewMs = FRESH_MS + 1_000;
  const refused = a.told.length;
  await a.peers.send(b.id, late);
  await a.until(() => a.told.slice(refused).some(({ type }) => type === 'expired'));
  expect(has(b, late)).toBe(false);
  // The refusal has brought the new beat.
  await a.peers.send(b.id, late);
  await b.until(() => has(b, late));
  b.skewMs = 0;
  const old = command('of another life');
  const beat = beatOf(a, b);
  b.feed(sealed(a, b, 'input', frameOf(old, beat, { ...beatOf(b, a), boot: '0'.repeat(32) })));
  b.feed(sealed(a, b, 'input', frameOf(old, beat, null)));
  expect(has(b, old)).toBe(false);
});

it('[peer-4] does nothing for a machine that may only look, nor what was sealed as if it needed no right', async () => {
  const message = command('not mine to give');
  await expect(viewer.peers.send(a.id, message)).rejects.toThrow('only look');
  expect(viewer.peers.pass(a.id, message)).toBe(false);
  a.feed(sealed(viewer, a, 'input', frameOf(message, beatOf(viewer, a), beatOf(a, viewer))));
  a.feed(sealed(viewer, a, 'live', frameOf(message, beatOf(viewer, a), beatOf(a, viewer))));
  expect(has(a, message)).toBe(false);
  const look: PeerMessage = { type: 'look', runId, viewers: [], driver: null };
  await viewer.peers.send(a.id, look);
  await a.until(() => has(a, look));
});

it('[peer-6] shows what the host shows of a session, and nobody else’s', async () => {
  const shown: unknown[] = [];
  let resolve = () => {};
  const two = new Promise<void>((done) => {
    resolve = done;
  });
  const end = viewer.peers.watch(runId, a.id, (body) => {
    shown.push(body);
    if (shown.length === 2) resolve();
  });
  // What is asked comes after the follow on the same line.
  await viewer.peers.send(a.id, { type: 'beat', wantsAnswer: false });
  const word = (text: string) =>
    ({
      type: 'live',
      texts: [{ messageId: 'm', block: 0, blockKind: 'text', toolName: null, parentToolUseId: null, offset: 0, text }],
    }) as const;
  a.peers.show(runId, { ...word('of the host'), texts: [...word('of the host').texts] });
  b.peers.show(runId, { ...word('of another'), texts: [...word('of another').texts] });
  await b.peers.send(a.id, { type: 'beat', wantsAnswer: false });
  a.peers.show(runId, { type: 'viewers', driver: null, viewers: [] });
  await two;
  end();
  expect(shown).toEqual([word('of the host'), { type: 'viewers', driver: null, viewers: [] }]);
});

it('[peer-7] knows who is there, and gives a machine up that is gone or was removed', async () => {
  b.machine.link.stop();
  await a.until(() => !a.peers.isOnline(b.id));
  expect(await a.peers.send(b.id, command('to nobody'))).toBe('missed');
  expect(await a.peers.fresh(viewer.id)).toBe(true);
});
