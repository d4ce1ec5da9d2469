import { expect, it, vi } from 'vitest';
import type { RunId } from '../../src-shared/ids.ts';
import { encodeRelayMessage, type FromRelay, LANES, MIN_PART_BYTES, parseFromRelay } from '../../src-shared/relay-protocol.ts';
import { type Chance, encodeAnything, FUZZ_WITHIN_MS, fuzz, mutatedBytes, mutatedValue } from '../../src-shared/sim/fuzz.ts';
import type { Wire } from '../../src-shared/wire.ts';
import { pty } from '../engine/engine.fixture.ts';
import type { RelayClient } from '../relay/relay.fixture.ts';
import { runIdOf } from '../store/store.fixture.ts';
import { HostileGround } from './hostile.fixture.ts';
import { encodeLog } from './logs/log-payload.ts';
import { WITHIN } from './logs/replication.fixture.ts';

/** What the relay has said lately, to be said again otherwise. */
const REMEMBERED = 60;

/** A machine's end of its wire to the relay, by which others speak, too. */
class TappedWire implements Wire {
  readonly #wire: Wire;
  readonly #onHeard: (frame: Uint8Array) => void;
  #onFrame: Wire['onFrame'] = null;

  constructor(wire: Wire, onHeard: (frame: Uint8Array) => void) {
    this.#wire = wire;
    this.#onHeard = onHeard;
  }
  get bufferedBytes(): number {
    return this.#wire.bufferedBytes;
  }
  get onClose(): Wire['onClose'] {
    return this.#wire.onClose;
  }
  set onClose(handler: Wire['onClose']) {
    this.#wire.onClose = handler;
  }
  get onFrame(): Wire['onFrame'] {
    return this.#onFrame;
  }
  set onFrame(handler: Wire['onFrame']) {
    this.#onFrame = handler;
    this.#wire.onFrame = (frame) => {
      this.#onHeard(frame);
      this.#onFrame?.(frame);
    };
  }
  send(frame: Uint8Array): void {
    this.#wire.send(frame);
  }
  close(why: Parameters<Wire['close']>[0]): void {
    this.#wire.close(why);
  }
}

/** Lies between a machine and its relay, and says what it likes besides. */
class Liar {
  readonly #heard: FromRelay[] = [];
  #wire: Wire | null = null;

  readonly between = (wire: Wire): Wire => {
    this.#wire = new TappedWire(wire, (frame) => {
      this.#heard.push(parseFromRelay(frame.slice()));
      // The first ones stay: each kind is among them.
      if (this.#heard.length > REMEMBERED) this.#heard.splice(REMEMBERED / 2, 1);
    });
    return this.#wire;
  };

  /** To the machine, as if the relay had said it. */
  say(frame: Uint8Array): void {
    this.#wire?.onFrame?.(frame);
  }

  lie(chance: Chance): Uint8Array {
    const message = chance.pick(this.#heard);
    if (chance.below(8) === 0) return mutatedBytes(encodeRelayMessage(message), chance);
    if (chance.below(8) === 0) return encodeRelayMessage(this.#part(encodeRelayMessage(message), chance));
    if (chance.below(3) === 0) return encodeRelayMessage(this.#misled(message, chance));
    return encodeAnything(mutatedValue(message, chance));
  }

  /** Some of a message, with what is before it, or without. */
  #part(whole: Uint8Array, chance: Chance): FromRelay {
    const lane = chance.pick(LANES);
    if (chance.below(4) === 0) return { type: 'dropped', lane };
    const from = chance.below(3) === 0 ? chance.below(whole.byteLength) : 0;
    const end = chance.below(3) === 0 ? from + 1 + chance.below(whole.byteLength - from) : whole.byteLength;
    const of = chance.below(3) === 0 ? whole.byteLength + MIN_PART_BYTES : whole.byteLength;
    const padded = new Uint8Array(chance.below(3) === 0 ? MIN_PART_BYTES : end - from);
    padded.set(whole.subarray(from, end).subarray(0, padded.byteLength));
    return { type: 'part', lane, from, of, bytes: padded };
  }

  /** Well formed and wrong: another place, another question, another stream. */
  #misled(message: FromRelay, chance: Chance): FromRelay {
    const other = chance.pick(this.#heard);
    const moved: Record<string, unknown> = { ...message };
    for (const key of ['ask', 'stream', 'position', 'height', 'epoch', 'holder', 'frame', 'entries'] as const) {
      if (key in moved && key in other && chance.below(2) === 0) moved[key] = (other as Record<string, unknown>)[key];
    }
    return moved as FromRelay;
  }
}

const event = { epoch: 1, ts: 1, channel: 'pty:stdout', type: 'data', isJson: false, payload: new Uint8Array([65]) };
const theirs = runIdOf(7);

/** A machine that hosts a session and follows one of another machine, behind a relay that lies. */
class Lied {
  readonly liar: Liar;
  readonly hostile: HostileGround;
  readonly own: RunId;

  private constructor(liar: Liar, hostile: HostileGround, own: RunId) {
    this.liar = liar;
    this.hostile = hostile;
    this.own = own;
  }

  static async start(): Promise<Lied> {
    const liar = new Liar();
    const hostile = await HostileGround.start(liar.between);
    const { here, third } = hostile;
    const own = await here.create(pty('cat', []));
    await here.documents.setText(own, 'draft', 'what was written here', null);
    const honest = await hostile.connect(third);
    const card = { name: 'x', version: '0', platform: 'x', protocol: 1, state: 'up', deleted: [] };
    const session = { runId: theirs, spec: pty('sh', []), epoch: 1, createdTs: 1, branchOf: null };
    const payload = Buffer.concat([Buffer.from([1, 0]), Buffer.from(JSON.stringify({ ...card, sessions: [session] }))]);
    await honest.append(third.seal({ kind: 'index', stream: third.keyring.streamName('index', third.machine) }, payload));
    const lied = new Lied(liar, hostile, own);
    for (let seq = 1; seq <= 5; seq++) await lied.append(honest, seq);
    await lied.follows(5);
    return lied;
  }

  async append(honest: RelayClient, seq: number): Promise<void> {
    const { third } = this.hostile;
    const page = { items: [{ seq, ...event }], headHash: null } as unknown as Parameters<typeof encodeLog>[1];
    const stream = third.keyring.streamName('log', theirs);
    await honest.append(third.seal({ kind: 'log', stream }, await encodeLog(seq, page)));
  }

  async follows(seq: number): Promise<void> {
    const { sessions } = this.hostile.here.engine;
    await vi.waitFor(() => expect(sessions.get(theirs)?.log.published.seq).toBe(seq), WITHIN);
  }

  async state() {
    const { here, victim } = this.hostile;
    await here.store.sync();
    return { bugs: victim.bugs, own: await victim.state([this.own]), replica: await here.store.verify(theirs) };
  }
}

it(
  '[link-11] a relay that says what it likes changes nothing of what a machine has, and is left when it says nonsense',
  async () => {
    let lied = await Lied.start();
    try {
      let before = await lied.state();
      const check = async () => expect(await lied.state()).toEqual(before);
      const renew = async () => {
        await lied.hostile.dispose();
        lied = await Lied.start();
        before = await lied.state();
      };
      const one = async (chance: Chance) => {
        const { liar, hostile } = lied;
        const { link } = hostile.victim.workspace;
        if (link.state.is === 'lost') link.retryNow();
        if (link.state.is !== 'live') await hostile.victim.live();
        liar.say(liar.lie(chance));
        await new Promise((resolve) => setImmediate(resolve));
      };
      await fuzz(400, one, { check, renew });
      // Where it meets an honest one, everything goes on.
      const { hostile } = lied;
      await hostile.victim.stop();
      await hostile.enter();
      await lied.append(await hostile.connect(hostile.third), 6);
      await lied.follows(6);
      expect(await hostile.here.documents.text(lied.own, 'draft')).toMatchObject({ text: 'what was written here' });
    } finally {
      await lied.hostile.dispose();
    }
  },
  FUZZ_WITHIN_MS,
);
