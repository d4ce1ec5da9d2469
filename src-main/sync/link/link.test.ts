import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src-shared/client.ts';
import { revokeMachine } from '../../../src-shared/membership-keys.ts';
import { CLOSE } from '../../../src-shared/refusal.ts';
import { RELAY_CLOSE, RELAY_SILENT_AFTER_MS } from '../../../src-shared/relay-protocol.ts';
import { randomBytes, sealReady, toHex } from '../../../src-shared/seal.ts';
import { type TestMachine, testWorkspace } from '../../../src-shared/sim/workspace.ts';
import { type Wire, wirePair } from '../../../src-shared/wire.ts';
import type { Logger } from '../../logger.ts';
import { RelayProcess } from '../../relay/relay.fixture.ts';
import { Relay } from '../../relay/relay.ts';
import { openSqliteStorage } from '../../relay/storage/sqlite.ts';
import { openSocketWire } from '../../socket-wire.ts';
import { BulkWindow, MAX_WINDOW_BYTES, MIN_WINDOW_BYTES } from './bulk-window.ts';
import { Link, type LinkOptions, type LinkState } from './link.ts';

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {}, close() {} };
const STREAM = 'ab'.repeat(16);

/** Time that passes when the test says so. */
class StepClock implements Clock {
  now = 1_000_000;
  readonly timers = new Map<() => void, number>();
  nowMs() {
    return this.now;
  }
  setTimer(run: () => void, delayMs: number) {
    this.timers.set(run, this.now + delayMs);
    return () => void this.timers.delete(run);
  }
  random() {
    return 0.5;
  }
  /** One timer after the other, each at its time. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = [...this.timers].filter(([, at]) => at <= end).sort(([, a], [, b]) => a - b)[0];
      if (next === undefined) break;
      this.now = Math.max(this.now, next[1]);
      this.timers.delete(next[0]);
      next[0]();
    }
    this.now = end;
  }
  /** The machine was away: every timer is late by as much. */
  sleep(ms: number): void {
    this.now += ms;
    this.pass(0);
  }
}

function until<T extends LinkState['is']>(link: Link, is: T): Promise<Extract<LinkState, { is: T }>> {
  return new Promise((resolve) => {
    const look = (state: LinkState) => {
      if (state.is === is) resolve(state as Extract<LinkState, { is: T }>);
    };
    link.onState(look);
    look(link.state);
  });
}

function optionsOf(machine: TestMachine, connect: () => Promise<Wire>, more: Partial<LinkOptions> = {}): LinkOptions {
  return {
    connect,
    signer: machine,
    workspace: machine.membership.workspace,
    chain: () => machine.entries,
    relayKey: null,
    onFailure: (_, error) => {
      throw error;
    },
    ...more,
  };
}

describe('a link, with time and relay in the test’s hands', () => {
  let folder: string;
  let relay: Relay;
  let clock: StepClock;
  let wires: Wire[];
  let isReachable: boolean;
  const links: Link[] = [];

  beforeEach(async () => {
    await sealReady;
    folder = mkdtempSync(join(tmpdir(), 'baton-link-'));
    relay = new Relay({ storage: openSqliteStorage(join(folder, 'relay.db')), logger: SILENT });
    clock = new StepClock();
    wires = [];
    isReachable = true;
  });
  afterEach(() => {
    for (const link of links.splice(0)) link.stop();
    relay.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function open(machine: TestMachine, more: Partial<LinkOptions> = {}): Link {
    const connect = async () => {
      if (!isReachable) throw new Error('nobody is there');
      const [mine, its] = wirePair();
      wires.push(mine);
      relay.attach(its);
      return mine;
    };
    const link = new Link(optionsOf(machine, connect, { clock, ...more }));
    links.push(link);
    return link;
  }

  it('[link-1] brings the workspace to a relay that does not know it, and proves itself', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const link = open(a);
    const { welcome } = await until(link, 'live');
    expect(welcome.head).toBe(a.membership.head);
    expect((await until(open(b), 'live')).welcome.machines).toContainEqual(
      expect.objectContaining({ machine: a.machine, online: true }),
    );
  });

  it('[link-10] says who is there by now to whoever begins to listen later', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const link = open(a);
    await until(link, 'live');
    const told = new Promise<void>((resolve) => link.onMessage(({ type }) => type === 'machine' && resolve()));
    await until(open(b), 'live');
    await told;
    expect(link.state.is === 'live' && link.state.welcome.machines).toContainEqual(
      expect.objectContaining({ machine: b.machine, online: true }),
    );
  });

  it('[link-2] refuses another relay than the pinned one', async () => {
    const [a] = (await testWorkspace()) as [TestMachine];
    expect((await until(open(a, { relayKey: randomBytes(32) }), 'refused')).why).toMatch(/another relay/);
    await until(open(a, { relayKey: relay.keys.publicKey }), 'live');
  });

  it('[link-3] tries again ever more slowly while nobody is there, at once when told, and quickly after a good connection', async () => {
    const [a] = (await testWorkspace()) as [TestMachine];
    isReachable = false;
    const link = open(a);
    const delays: number[] = [];
    for (let attempt = 0; attempt < 10; attempt++) {
      await until(link, 'lost');
      // The newest timer is the one that tries again.
      delays.push(([...clock.timers.values()].at(-1) ?? 0) - clock.now);
      link.retryNow();
    }
    expect(delays.slice(0, 4)).toEqual([187.5, 375, 750, 1500]);
    expect(Math.max(...delays)).toBe(22_500);
    isReachable = true;
    await until(link, 'lost');
    link.retryNow();
    await until(link, 'live');
    clock.pass(20_000);
    wires.at(-1)?.close(CLOSE.failed);
    await until(link, 'lost');
    clock.pass(200);
    await until(link, 'live');
  });

  it('[link-4] finds out that the relay is silent, and after sleep asks before it believes an open connection', async () => {
    const [a] = (await testWorkspace()) as [TestMachine];
    const link = open(a);
    const losses: string[] = [];
    link.onState((state) => {
      if (state.is === 'lost') losses.push(state.why);
    });
    await until(link, 'live');
    // The relay answers pings: nothing happens for as long as one likes.
    for (let passed = 0; passed < 120_000; passed += 5_000) {
      clock.pass(5_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(losses).toEqual([]);
    const silence = () => {
      const wire = wires.at(-1);
      if (wire === undefined) throw new Error('no wire');
      wire.onFrame = () => {};
    };
    silence();
    clock.pass(RELAY_SILENT_AFTER_MS + 5_000);
    expect(losses).toEqual([CLOSE.silent.reason]);
    await until(link, 'live');
    silence();
    clock.sleep(600_000);
    expect(losses).toHaveLength(1);
    clock.pass(10_000);
    expect(losses).toHaveLength(2);
    await until(link, 'live');
    clock.sleep(600_000);
    await new Promise((resolve) => setImmediate(resolve));
    clock.pass(10_000);
    expect(losses).toHaveLength(2);
  });

  it('[link-5] rejects what is not acknowledged when the connection is lost, and sends nothing while there is none', async () => {
    const [a] = (await testWorkspace()) as [TestMachine];
    const link = open(a);
    await until(link, 'live');
    const asked = link.ask({ type: 'stream:read', stream: STREAM });
    wires.at(-1)?.close(CLOSE.failed);
    await expect(asked).rejects.toThrow(/was lost/);
    await expect(link.ask({ type: 'stream:read', stream: STREAM })).rejects.toThrow(/out of reach/);
    expect(link.pass(a.seal({ kind: 'live', stream: STREAM }).frame)).toBe(false);
  });

  it('[link-6] says why the relay refuses, and does not come back when the machine was removed or another uses its keys', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [open(a), open(b)];
    await until(ofA, 'live');
    await until(ofB, 'live');
    await expect(ofA.ask({ type: 'stream:read', stream: STREAM })).rejects.toMatchObject({ why: 'unknown-stream' });
    await ofA.ask({ type: 'chain:append', entry: revokeMachine(a.membership, a, b.machine, 1) });
    expect((await until(ofB, 'refused')).why).toBe(RELAY_CLOSE.removed.reason);
    await until(open(a), 'live');
    expect((await until(ofA, 'refused')).why).toBe(RELAY_CLOSE.elsewhere.reason);
  });

  it('[link-7] lets what is asked overtake bulk, and bulk that nobody waits for is not piled up', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [open(a), open(b)];
    await until(ofA, 'live');
    await until(ofB, 'live');
    const order: string[] = [];
    let haveAllCome = () => {};
    const allCame = new Promise<void>((resolve) => {
      haveAllCome = resolve;
    });
    const came = (what: string) => {
      order.push(what);
      if (order.length === 66) haveAllCome();
    };
    const typed = 'cd'.repeat(16);
    ofB.follow(STREAM, { lane: 'watch', cursor: () => 0, onBatch: (_, position) => came(String(position)) });
    ofB.follow(typed, { lane: 'watch', isPassing: true, cursor: () => 0, onBatch: () => came('typed') });
    const payload = randomBytes(30_000);
    const bulk = Array.from({ length: 64 }, () => a.seal({ kind: 'log', stream: STREAM }, payload));
    const stored = bulk.map(({ frame }) => ofA.appendBulk(frame, 'rest'));
    // One is on its way, and leaves room for another to wait behind those that do.
    const more = Array.from({ length: 3 }, () => a.seal({ kind: 'log', stream: STREAM }));
    const outcomes = Promise.allSettled(more.map(({ frame }) => ofA.appendBulk(frame, 'rest')));
    ofA.pass(a.seal({ kind: 'input', stream: typed }, 'y').frame);
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    await Promise.all(stored);
    await allCame;
    expect(order.indexOf('typed')).toBeLessThan(4);
    expect(order.filter((each) => each !== 'typed')).toEqual(Array.from({ length: 65 }, (_, index) => String(index + 1)));
  });

  it('[link-8] ends a follow whose owner fails, tells it, and goes on with the others', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const failures: string[] = [];
    const [ofA, ofB] = [open(a), open(b, { onFailure: (stream) => void failures.push(stream) })];
    await until(ofA, 'live');
    await until(ofB, 'live');
    let got = 0;
    const onBatch = () => {
      got++;
      throw new Error('the disk is full');
    };
    ofB.follow(STREAM, { lane: 'watch', cursor: () => 0, onBatch });
    for (let count = 0; count < 3; count++)
      await ofA.ask({ type: 'batch', frame: a.seal({ kind: 'log', stream: STREAM }).frame, release: null });
    await ofB.ask({ type: 'stream:read', stream: STREAM });
    expect(failures[0]).toBe(STREAM);
    expect(got).toBe(failures.length);
    expect(ofB.state.is).toBe('live');
  });
});

describe('the room for bulk', () => {
  it('[link-7] shrinks on a slow line to about a batch, and grows on a quick one', () => {
    const window = new BulkWindow();
    for (let count = 0; count < 20; count++) {
      window.acknowledged(1_000, window.sent(1_000), 5_000);
    }
    expect(window.windowBytes).toBe(MIN_WINDOW_BYTES);
    const carried = window.sent(MIN_WINDOW_BYTES);
    expect(window.roomBytes).toBe(0);
    window.acknowledged(MIN_WINDOW_BYTES, carried, 50);
    for (let count = 0; count < 20; count++) window.acknowledged(window.windowBytes, window.sent(window.windowBytes), 50);
    expect(window.windowBytes).toBe(MAX_WINDOW_BYTES);
    // What is little says nothing of how much more there might be; what is late says how much the line carries.
    window.acknowledged(1_000, window.sent(1_000), 50);
    expect(window.windowBytes).toBe(MAX_WINDOW_BYTES);
    window.acknowledged(100_000, window.sent(100_000), 1_000);
    expect(window.windowBytes).toBe(25_000);
  });
});

describe('a link to a relay process', () => {
  let relay: RelayProcess;
  beforeEach(async () => {
    relay = new RelayProcess();
    await relay.start();
  });
  afterEach(() => relay.dispose());

  const connect = () => openSocketWire(`ws://127.0.0.1:${relay.port}`);

  it('[link-9] goes on at its cursors after the relay was killed: nothing lost, nothing twice', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [new Link(optionsOf(a, connect)), new Link(optionsOf(b, connect))];
    const positions: number[] = [];
    const frames: string[] = [];
    const reached: (() => void)[] = [];
    await until(ofA, 'live');
    ofB.follow(STREAM, {
      lane: 'watch',
      cursor: () => positions.at(-1) ?? 0,
      onBatch: (frame, position) => {
        positions.push(position ?? -1);
        frames.push(toHex(frame));
        for (const look of reached) look();
      },
    });
    const has = (count: number) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (positions.length >= count) resolve();
        };
        reached.push(look);
        look();
      });
    const sealed: string[] = [];
    for (let life = 0; life < 3; life++) {
      await until(ofA, 'live');
      for (let count = 0; count < 10; count++) {
        const { frame } = a.seal({ kind: 'log', stream: STREAM }, `life ${life}, event ${count}`);
        await ofA.ask({ type: 'batch', frame, release: null });
        sealed.push(toHex(frame));
      }
      if (life === 2) break;
      await relay.kill();
      await until(ofA, 'lost');
      await relay.start();
    }
    await has(30);
    expect(positions).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    expect(frames).toEqual(sealed);
    ofA.stop();
    ofB.stop();
  });
});

it('[link-5] nobody waits for a link that does not come back', async () => {
  await sealReady;
  const [machine] = (await testWorkspace()) as [TestMachine];
  const link = new Link({
    connect: () => new Promise(() => {}),
    signer: machine,
    workspace: machine.membership.workspace,
    chain: () => machine.entries,
    relayKey: null,
    onFailure: () => {},
  });
  const before = link.appendBulk(randomBytes(100), 'rest');
  link.stop();
  await expect(before).rejects.toThrow('connection to the relay was lost');
  await expect(link.appendBulk(randomBytes(100), 'rest')).rejects.toThrow('out of reach');
});
