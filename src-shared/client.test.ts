import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type AttachmentListener, type Clock, RunSessionClient } from './client.ts';
import { type LogEvent, newEvent } from './events.ts';
import { ClientId, Epoch, InputId, MachineId, RunId, Seq } from './ids.ts';
import {
  type ClientMessage,
  type Command,
  encodeMessage,
  type HostMessage,
  PROTOCOL_VERSION,
  parseClientMessage,
  VIEWER_WINDOW_BYTES,
} from './protocol.ts';
import { CLOSE, RefusalError } from './refusal.ts';
import { summaryOf } from './session.fixture.ts';
import type { SessionState, SessionSummary } from './session.ts';
import { initialState } from './session-state.ts';
import { type Wire, wirePair } from './wire.ts';

const clientId = ClientId.parse('00000000-0000-4000-8000-00000000000c');
const runId = RunId.parse('00000000-0000-4000-8000-000000000001');
const machineId = MachineId.parse('00000000-0000-4000-8000-00000000000a');
const command = (last: number, text = 'hello'): Command => ({
  kind: 'prompt',
  inputId: InputId.parse(`00000000-0000-4000-8000-0000000001${String(last).padStart(2, '0')}`),
  content: { text, images: [] },
});

/** Time that passes when the test says so. */
class HandClock implements Clock {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];
  nowMs(): number {
    return this.#nowMs;
  }
  setTimer(run: () => void, delayMs: number): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
  random(): number {
    return 0.5;
  }
  async pass(ms: number): Promise<void> {
    const until = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.filter(({ atMs }) => atMs <= until).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
      await settled();
    }
    this.#nowMs = Math.max(this.#nowMs, until);
  }
  /** As after a sleep: what was due comes late, all at once. */
  async sleep(ms: number): Promise<void> {
    this.#nowMs += ms;
    await this.pass(0);
  }
}

/** What a request is refused with; listened to from the moment it is made. */
const failureOf = (asked: Promise<unknown>) =>
  asked.then(
    () => null,
    (error: unknown) => error,
  );

const QUARTER = VIEWER_WINDOW_BYTES / 4;

/** Frames travel in microtasks. */
const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

/** The other end, played by the test: what arrived, and what to say. */
class Host {
  readonly wires: Wire[] = [];
  readonly heard: ClientMessage[] = [];
  sessions: SessionSummary[] = [];

  readonly connect = async (): Promise<Wire> => {
    const [near, far] = wirePair();
    this.wires.push(far);
    far.onFrame = (frame) => {
      const message = parseClientMessage(frame);
      this.heard.push(message);
      if (message.type === 'client:hello') this.welcome();
    };
    return near;
  };
  say(message: HostMessage): Promise<void> {
    this.wires.at(-1)?.send(encodeMessage(message));
    return settled();
  }
  async drop(code = 1006): Promise<void> {
    this.wires.at(-1)?.close({ code, reason: 'dropped by the test' });
    await settled();
  }
  of<T extends ClientMessage['type']>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.heard.filter((message): message is Extract<ClientMessage, { type: T }> => message.type === type);
  }
  welcome(): void {
    const about = { machineId, machine: 'here', engineVersion: '0', platform: 'linux' };
    void this.say({ type: 'welcome', protocol: PROTOCOL_VERSION, ...about, sessions: this.sessions, reconnect: null });
  }
  attached(change: Partial<Extract<HostMessage, { type: 'run:attached' }>> = {}): Promise<void> {
    const { attachId, after } = this.of('run:attach').at(-1) ?? { attachId: 0, after: null };
    return this.say({
      type: 'run:attached',
      runId,
      attachId,
      epoch: Epoch.parse(1),
      session: summary(),
      state,
      after: after ?? Seq.parse(0),
      lastSeq: after ?? Seq.parse(0),
      reset: false,
      screen: null,
      live: [],
      driving: false,
      ...change,
    });
  }
  events(...seqs: number[]): Promise<void> {
    return this.say({ type: 'run:events', runId, events: seqs.map((seq) => prompted(seq)) });
  }
}

const state: SessionState = { ...initialState({ kind: 'echo', cwd: '/' }), status: 'idle' };
const event = (seq: number, what: ReturnType<typeof newEvent>): LogEvent => ({
  runId,
  seq: Seq.parse(seq),
  epoch: Epoch.parse(1),
  ts: 1_000 + seq,
  ...what,
});
const prompted = (seq: number) =>
  event(seq, newEvent('run:prompt', 'queued', { ...command(seq), clientId, content: { text: `prompt ${seq}`, images: [] } }));
const summary = (change: Partial<SessionSummary> = {}) =>
  summaryOf({ runId, kind: 'echo', status: 'idle', title: 'Echo', machineId, ...change });

class Seen implements AttachmentListener {
  readonly seqs: number[] = [];
  readonly starts: number[] = [];
  readonly following: boolean[] = [];
  states: SessionState[] = [];
  refused: string | null = null;
  onStart({ after }: { readonly after: Seq }): void {
    this.starts.push(after);
  }
  onEvents(events: readonly LogEvent[]): void {
    this.seqs.push(...events.map(({ seq }) => seq));
  }
  onState(next: SessionState): void {
    this.states.push(next);
  }
  onFollowing(isFollowing: boolean): void {
    this.following.push(isFollowing);
  }
  onRefused({ code }: { readonly code: string }): void {
    this.refused = code;
  }
}

let clock: HandClock;
let host: Host;
let client: RunSessionClient;
beforeEach(async () => {
  clock = new HandClock();
  host = new Host();
  client = new RunSessionClient({ connect: host.connect, clientId, kind: 'test', name: 'tests', clock });
  await settled();
});

describe('the connection', () => {
  it('[wire-1] begins with hello and keeps its clientId when it comes back', async () => {
    expect(client.connection.is).toBe('live');
    await host.drop();
    expect(client.connection).toMatchObject({ is: 'lost', why: 'dropped by the test' });
    await clock.pass(1_000);
    expect(client.connection.is).toBe('live');
    expect(host.wires).toHaveLength(2);
    expect(host.heard.map(({ type }) => type)).toEqual(['client:hello', 'client:hello']);
    expect(new Set(host.of('client:hello').map((hello) => hello.clientId))).toEqual(new Set([clientId]));
  });

  it('comes back ever more slowly while nobody is there, and at once again after a success', async () => {
    const connect = vi.spyOn(host, 'connect').mockRejectedValue(new Error('nobody listens'));
    const alone = new RunSessionClient({ connect: () => host.connect(), clientId, kind: 'test', name: 'tests', clock });
    await settled();
    const triedAt: number[] = [];
    for (let tries = connect.mock.calls.length; clock.nowMs() < 60_000; await clock.pass(25)) {
      if (connect.mock.calls.length > tries) triedAt.push(clock.nowMs());
      tries = connect.mock.calls.length;
    }
    const gaps = triedAt.map((at, index) => at - (triedAt[index - 1] ?? 0)).slice(1);
    expect(gaps[0]).toBeLessThan(300);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5_000);
    expect(gaps.at(-1)).toBeGreaterThan(3_000);
    connect.mockRestore();
    await clock.pass(6_000);
    expect(alone.connection.is).toBe('live');
    await host.drop();
    await clock.pass(100);
    expect(alone.connection.is).toBe('live');
  });

  it('[wire-9] gives up a wire without any sign of life for 25 s', async () => {
    await clock.pass(24_000);
    expect(client.connection.is).toBe('live');
    expect(host.of('ping').length).toBeGreaterThan(0);
    await clock.pass(1_000);
    expect(client.connection).toMatchObject({ is: 'lost', why: 'no sign of life' });
    await clock.pass(1_000);
    expect(host.wires.length).toBe(2);
  });

  it('[wire-9] asks first after a sleep: the wire may well be alive', async () => {
    await clock.sleep(3_600_000);
    expect(host.of('ping')).toHaveLength(1);
    expect(host.wires).toHaveLength(1);
    expect(client.connection.is).toBe('live');
  });

  it('[wire-9] answers a ping, also where its own timers are throttled', async () => {
    await host.say({ type: 'ping', sentAt: 7 });
    expect(host.of('pong')).toEqual([{ type: 'pong', sentAt: 7 }]);
  });

  it('is refused for good by a close code that says so, and refuses what waits', async () => {
    const waiting = failureOf(client.call('session.list', {}));
    await settled();
    await host.drop(4402);
    expect(await waiting).toMatchObject({ refusal: { code: 'not-ready' } });
    expect(client.connection.is).toBe('refused');
    await clock.pass(60_000);
    expect(host.wires).toHaveLength(1);
    await expect(client.send(runId, command(1))).rejects.toMatchObject({ refusal: { code: 'not-ready' } });
    await expect(client.ready()).rejects.toThrow('dropped by the test');
  });

  it('is refused for good when the way to the host is', async () => {
    const connect = vi.fn().mockRejectedValue(new RefusalError('not-allowed', 'the sign-in has ended'));
    const refused = new RunSessionClient({ connect, clientId, kind: 'test', name: 'tests', clock });
    await clock.pass(60_000);
    expect(refused.connection).toMatchObject({ is: 'refused', why: 'the sign-in has ended' });
    await expect(refused.ready()).rejects.toThrow('the sign-in has ended');
    expect(connect).toHaveBeenCalledTimes(1);
  });

  it('is tried at once when there is a reason to, and never twice at a time', async () => {
    await host.drop();
    expect(client.connection.is).toBe('lost');
    client.retry();
    client.retry();
    await settled();
    expect(client.connection.is).toBe('live');
    client.retry();
    await clock.pass(1_000);
    expect(host.wires).toHaveLength(2);
  });

  it('hands over each token that opens the next wire', async () => {
    const kept: string[] = [];
    const token = (letter: string) => ({ token: letter.repeat(43), expiresAt: 1 });
    vi.spyOn(host, 'welcome').mockImplementation(() => {
      const about = { machineId, machine: 'here', engineVersion: '0', platform: 'linux', sessions: [] };
      void host.say({ type: 'welcome', protocol: PROTOCOL_VERSION, ...about, reconnect: token('a') });
    });
    const onReconnectToken = (given: { readonly token: string }) => void kept.push(given.token.slice(0, 1));
    new RunSessionClient({ connect: host.connect, clientId, kind: 'browser', name: 'tests', clock, onReconnectToken });
    await settled();
    await host.say({ type: 'reconnect:token', reconnect: token('b') });
    expect(kept).toEqual(['a', 'b']);
  });

  it('closes a wire that brings something that is not a message', async () => {
    host.wires[0]?.send(Uint8Array.of(250, 251, 252));
    await settled();
    expect(client.connection.is).toBe('refused');
  });

  it('keeps the list of sessions up to date, as a new map each time', async () => {
    const before = client.sessions;
    await host.say({ type: 'session:changed', session: summary({ title: 'new' }) });
    expect(client.sessions.get(runId)?.title).toBe('new');
    expect(before.size).toBe(0);
    await host.say({ type: 'session:removed', runId });
    expect(client.sessions.size).toBe(0);
  });
});

describe('commands and calls', () => {
  it('[input-1] are sent again with the same id until they are answered, in the order of asking', async () => {
    const progress: string[] = [];
    const first = client.send(runId, command(1), (now) => progress.push(now));
    const second = client.send(runId, command(2));
    await settled();
    await host.drop();
    const third = client.send(runId, command(3));
    await clock.pass(1_000);
    const sent = host.of('run:input').map(({ input }) => ('inputId' in input ? input.inputId : ''));
    expect(sent).toEqual([1, 2, 1, 2, 3].map((number) => command(number).inputId));
    expect(progress).toEqual(['sent', 'queued', 'sent']);
    for (const number of [1, 2, 3]) {
      const { inputId } = command(number);
      await host.say({ type: 'run:input-result', runId, inputId, outcome: { ok: true, seq: Seq.parse(number) } });
    }
    expect(await Promise.all([first, second, third])).toEqual([1, 2, 3]);
    await host.drop();
    await clock.pass(1_000);
    expect(host.of('run:input')).toHaveLength(5);
  });

  it('asked for twice with one id are both answered', async () => {
    const both = [client.send(runId, command(1)), client.send(runId, command(1))];
    await settled();
    const { inputId } = command(1);
    await host.say({ type: 'run:input-result', runId, inputId, outcome: { ok: true, seq: Seq.parse(5) } });
    expect(await Promise.all(both)).toEqual([5, 5]);
  });

  it('that were refused say why', async () => {
    const asked = failureOf(client.send(runId, command(1)));
    await settled();
    const refusal = { code: 'queue-full' as const, message: 'Too many.', hint: 'Wait.' };
    await host.say({ type: 'run:input-result', runId, inputId: command(1).inputId, outcome: { ok: false, refusal } });
    expect(await asked).toMatchObject({ refusal });
  });

  it('of the desktop shell are not repeated after a reconnect: nobody wants a dialog later', async () => {
    const dialog = failureOf(client.call('shell.chooseFolder', { start: null }));
    const list = client.call('session.list', {});
    await settled();
    await host.drop();
    expect(await dialog).toMatchObject({ refusal: { code: 'not-ready' } });
    await clock.pass(1_000);
    const calls = host.of('call');
    expect(calls.map(({ operation }) => operation)).toEqual(['shell.chooseFolder', 'session.list', 'session.list']);
    const callId = calls.at(-1)?.callId ?? 0;
    await host.say({ type: 'reply', callId, outcome: { ok: true, result: { sessions: [] } } });
    expect(await list).toEqual({ sessions: [] });
  });

  it('are read by the table: an answer of another shape is an error, not a value', async () => {
    const list = failureOf(client.call('session.list', {}));
    await settled();
    const callId = host.of('call')[0]?.callId ?? 0;
    await host.say({ type: 'reply', callId, outcome: { ok: true, result: { sessions: 'many' } } });
    expect(await list).toBeInstanceOf(Error);
  });

  it('wait in a bounded number', async () => {
    await host.drop();
    const waiting = Array.from({ length: 1_000 }, () => client.call('session.list', {}));
    await expect(client.call('session.list', {})).rejects.toMatchObject({ refusal: { code: 'queue-full' } });
    client.stop();
    expect((await Promise.allSettled(waiting)).every(({ status }) => status === 'rejected')).toBe(true);
  });
});

describe('an attachment', () => {
  let seen: Seen;
  const follow = async (after: Seq | null = null) => {
    seen = new Seen();
    const attachment = client.attach(runId, { after }, seen);
    await settled();
    return attachment;
  };

  it('[seq-2] hands every event over once and in order, whatever is repeated', async () => {
    await follow();
    await host.attached();
    await host.events(1, 2);
    await host.events(2, 3);
    await host.events(1);
    expect(seen.seqs).toEqual([1, 2, 3]);
  });

  it('[seq-3] [wire-8] asks for everything after the last one it applied when the wire is back', async () => {
    await follow();
    await host.attached();
    await host.events(1, 2, 3);
    await host.drop();
    await clock.pass(1_000);
    expect(host.of('run:attach').at(-1)).toMatchObject({ after: 3, afterTs: 1_003 });
    await host.attached();
    await host.events(3, 4);
    expect(seen.seqs).toEqual([1, 2, 3, 4]);
    expect(seen.starts).toEqual([0]);
    expect(seen.following).toEqual([true, false, true]);
  });

  it('[wire-8] never shows a hole: it asks again after the last one it applied', async () => {
    await follow();
    await host.attached();
    await host.events(1);
    await host.events(3);
    expect(seen.seqs).toEqual([1]);
    expect(host.of('run:attach').at(-1)).toMatchObject({ attachId: 2, after: 1 });
    // What was under way for the attachment that is no more is not taken for an answer.
    await host.events(2, 3);
    expect(seen.seqs).toEqual([1]);
    await host.attached();
    await host.events(2, 3);
    expect(seen.seqs).toEqual([1, 2, 3]);
  });

  it('[seq-9] takes a gap for the events it stands for', async () => {
    await follow();
    await host.attached();
    await host.events(1);
    const gap = newEvent('system:status', 'gap', { fromSeq: Seq.parse(2), toSeq: Seq.parse(9), bytes: 100, reason: 'quota' });
    await host.say({ type: 'run:events', runId, events: [event(9, gap), prompted(10)] });
    expect(seen.seqs).toEqual([1, 9, 10]);
  });

  it('[seq-4] begins anew when the host says that what it had is not a part of this log', async () => {
    await follow();
    await host.attached();
    await host.events(1, 2, 3);
    await host.drop();
    await clock.pass(1_000);
    await host.attached({ after: Seq.parse(0), reset: true });
    expect(seen.starts).toEqual([0, 0]);
    await host.events(1, 2);
    expect(seen.seqs).toEqual([1, 2, 3, 1, 2]);
  });

  it('[wire-5] starts over from a screen when it is told that it fell behind', async () => {
    await follow();
    await host.attached();
    await host.events(1);
    const screen = { seq: Seq.parse(50), cols: 80, rows: 24, data: 'the screen' };
    await host.say({ type: 'run:resync', runId, attachId: 1, session: summary(), state, lastSeq: Seq.parse(52), screen });
    expect(seen.starts).toEqual([0, 50]);
    await host.events(51);
    expect(seen.seqs).toEqual([1, 51]);
  });

  it('folds only what the state at attach does not hold already', async () => {
    await follow();
    const queued = { inputId: command(2).inputId, clientId, content: { text: 'prompt 2', images: [] }, queuedTs: 1_002 };
    await host.attached({ state: { ...state, queue: [queued] }, lastSeq: Seq.parse(2) });
    await host.events(1, 2);
    expect(seen.states.at(-1)?.queue).toHaveLength(1);
    await host.events(3);
    expect(seen.states.at(-1)?.queue.map(({ content }) => content.text)).toEqual(['prompt 2', 'prompt 3']);
  });

  it('[wire-5] acknowledges a quarter of the window at a time, as a running total that begins anew with each attachment', async () => {
    const attachment = await follow();
    await host.attached();
    attachment.parsed(QUARTER - 1);
    attachment.parsed(10);
    await settled();
    await host.drop();
    attachment.parsed(99);
    await clock.pass(1_000);
    await host.attached();
    attachment.parsed(QUARTER);
    await settled();
    expect(host.of('run:ack').map(({ attachId, parsedBytes }) => [attachId, parsedBytes])).toEqual([
      [1, QUARTER + 9],
      [2, QUARTER],
    ]);
  });

  it('[input-5] throws away what is typed while the wire is down', async () => {
    const attachment = await follow();
    await host.attached();
    attachment.keys(Uint8Array.of(97));
    await settled();
    await host.drop();
    attachment.keys(Uint8Array.of(98));
    await clock.pass(1_000);
    await host.attached();
    attachment.keys(Uint8Array.of(99));
    await settled();
    const typed = host.of('run:input').flatMap(({ input }) => (input.kind === 'keys' ? [...input.data] : []));
    expect(typed).toEqual([97, 99]);
  });

  it('[road-3] goes on at once by a better road, with what is typed meanwhile', async () => {
    const attachment = await follow();
    await host.attached();
    attachment.keys(Uint8Array.of(97));
    await settled();
    host.wires.at(-1)?.close(CLOSE.otherRoad);
    // The goodbye has come, the next wire is being taken.
    await Promise.resolve();
    attachment.keys(Uint8Array.of(98));
    await settled();
    attachment.keys(Uint8Array.of(99));
    expect(client.connection.is).toBe('live');
    await host.attached();
    const typed = host.of('run:input').flatMap(({ input }) => (input.kind === 'keys' ? [...input.data] : []));
    expect(typed).toEqual([97, 98, 99]);
  });

  it('asks once for what is wanted at the moment the wire is there', async () => {
    await host.drop();
    client.onConnection(({ is }) => {
      if (is !== 'live') return;
      void failureOf(client.call('session.list', {}));
      client.attach(runId, { after: null }, new Seen());
    });
    await clock.pass(1_000);
    expect(client.connection.is).toBe('live');
    expect(host.of('call')).toHaveLength(1);
    expect(host.of('run:attach')).toHaveLength(1);
  });

  it('[wire-3] a second one on the same session takes the first one’s place; detaching twice is once', async () => {
    const first = await follow();
    const old = seen;
    const second = await follow();
    await host.attached();
    await host.events(1);
    expect(old.seqs).toEqual([]);
    expect(seen.seqs).toEqual([1]);
    first.detach();
    second.detach();
    second.detach();
    await settled();
    expect(host.of('run:detach')).toHaveLength(2);
    await host.events(2);
    expect(seen.seqs).toEqual([1]);
  });

  it('ends, and says so, when the session is refused or deleted', async () => {
    await follow();
    const refusal = { code: 'unknown-session' as const, message: 'There is none.', hint: null };
    await host.say({ type: 'run:refused', runId, attachId: 1, refusal });
    expect(seen.refused).toBe('unknown-session');
    await follow();
    await host.attached();
    await host.say({ type: 'session:removed', runId });
    expect(seen.refused).toBe('unknown-session');
    await host.drop();
    await clock.pass(1_000);
    expect(host.of('run:attach')).toHaveLength(2);
  });
});
