import { deflateRawSync } from 'node:zlib';
import { expect, vi } from 'vitest';
import type { RunId } from '../../src-shared/ids.ts';
import type { Rights } from '../../src-shared/machines.ts';
import { type Beat, type PeerWord, parsePeerFrame } from '../../src-shared/peer-protocol.ts';
import { EMPTY_STREAM, receiveBatch } from '../../src-shared/receive-batch.ts';
import { type BatchKindName, MAX_PAYLOAD_BYTES } from '../../src-shared/sealed-batch.ts';
import { encodeAnything } from '../../src-shared/sim/fuzz.ts';
import type { TestMachine } from '../../src-shared/sim/workspace.ts';
import { pty } from '../engine/engine.fixture.ts';
import type { RelayClient } from '../relay/relay.fixture.ts';
import { runIdOf } from '../store/store.fixture.ts';
import { HostileGround } from './hostile.fixture.ts';
import { encodeLog } from './logs/log-payload.ts';
import { WITHIN } from './logs/replication.fixture.ts';

/** Of the member itself, whatever the machine that it attacks hears of it. */
export const MEMBERS_BEAT: Beat = { boot: 'ab'.repeat(16), atMs: 5 };
const ABOUT_IT = { name: 'x', version: '0', platform: 'x', protocol: 1, state: 'up' };

export const sessionOf = (runId: RunId) => ({ runId, spec: pty('sh', []), epoch: 1, createdTs: 1, branchOf: null });

export const packed = (text: string): Uint8Array => {
  const small = deflateRawSync(Buffer.from(text), { level: 1 });
  return Uint8Array.from(Buffer.concat([Buffer.from([1, 1]), small]));
};

/** The payload of a log's batch with one event, whatever is in it. */
export const logOf = (seq: number, event: object): Promise<Uint8Array> => {
  const common = { seq, epoch: 1, ts: 1, channel: 'pty:stdout', type: 'data', isJson: false, payload: Uint8Array.of(65) };
  const page = { items: [{ ...common, ...event }], headHash: null };
  return encodeLog(seq, page as unknown as Parameters<typeof encodeLog>[1]);
};

/** A member of the workspace with its own keys and no good intentions: everything that it says is sealed as it should be. */
export class HostileMember {
  readonly hostile: HostileGround;
  /** Hosted by the machine that is attacked, and by the member. */
  readonly own: RunId;
  readonly theirs = runIdOf(7);
  #said: RelayClient;

  private constructor(hostile: HostileGround, own: RunId, said: RelayClient) {
    this.hostile = hostile;
    this.own = own;
    this.#said = said;
  }

  static async start(rights: Rights = 'start'): Promise<HostileMember> {
    const hostile = await HostileGround.start((wire) => wire, rights);
    const own = await hostile.here.create(pty('cat', []));
    await hostile.here.documents.setText(own, 'draft', 'what was written here', null);
    const member = new HostileMember(hostile, own, await hostile.connect(hostile.member));
    await member.sayCard({});
    await vi.waitFor(() => expect(hostile.here.engine.remote.all.has(member.theirs)).toBe(true), WITHIN);
    return member;
  }

  get member(): TestMachine {
    return this.hostile.member;
  }
  get said(): RelayClient {
    return this.#said;
  }
  /** What is said to the machine that is attacked. */
  get toVictim(): string {
    return this.streamOf('input', this.hostile.victim.workspace.signer.machine);
  }

  streamOf(kind: Parameters<TestMachine['keyring']['streamName']>[0], id: string): string {
    return this.member.keyring.streamName(kind, id);
  }

  /** To the relay, and from there to whoever follows. */
  async say(kind: BatchKindName, stream: string, payload: Uint8Array): Promise<void> {
    if (payload.byteLength > MAX_PAYLOAD_BYTES) return;
    if (this.#said.closedWith !== null) this.#said = await this.hostile.connect(this.member);
    const answer = await this.#said.append(this.member.seal({ kind, stream }, payload));
    if (answer.type === 'refused') throw new Error(`the relay does not pass it on: ${answer.why}`);
  }

  sayCard(change: object): Promise<void> {
    const card = { ...ABOUT_IT, sessions: [sessionOf(this.theirs)], deleted: [], ...change };
    return this.say('index', this.streamOf('index', this.member.machine), packed(JSON.stringify(card)));
  }

  word(body: object, heard: Beat | null): Uint8Array {
    return encodeAnything({ v: 1, beat: MEMBERS_BEAT, heard, body });
  }

  shown(body: object): Uint8Array {
    return encodeAnything({ v: 1, body });
  }

  /** As the member last heard it from the machine. */
  async beatOfVictim(): Promise<Beat> {
    const frames = await this.answersTo(() =>
      this.say('live', this.toVictim, this.word({ type: 'beat', wantsAnswer: true }, null)),
    );
    const [newest] = frames.toReversed();
    if (newest === undefined) throw new Error('it did not answer');
    return newest.beat;
  }

  /** What the machine says to the member from now on, until `isAll`. */
  async answersTo(
    ask: () => Promise<void>,
    isAll: (words: readonly PeerWord[]) => boolean = (words) => words.length > 0,
  ): Promise<readonly { readonly beat: Beat; readonly word: PeerWord }[]> {
    const said = this.#said;
    said.isForgetful = false;
    const stream = this.streamOf('input', this.member.machine);
    said.follow(stream);
    await said.ask({ type: 'stream:read', stream: this.streamOf('index', this.member.machine) });
    const before = said.batches(stream).length;
    await ask();
    const answers = await said.until(() => {
      const { membership, keyring } = this.member;
      const heard = said
        .batches(stream)
        .slice(before)
        .flatMap(({ frame }) => {
          const received = receiveBatch(frame, { membership, keyring, state: EMPTY_STREAM });
          const parsed = received.is === 'opened' ? parsePeerFrame(received.payload) : null;
          return parsed === null ? [] : [{ beat: parsed.beat, word: parsed.body as PeerWord }];
        });
      return isAll(heard.map(({ word }) => word)) && heard;
    });
    said.isForgetful = true;
    return answers;
  }

  /** What it was sent is done with. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) {
      await this.hostile.victim.workspace.link.ask({ type: 'stream:read', stream: this.streamOf('index', this.member.machine) });
      await this.hostile.here.store.sync();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
