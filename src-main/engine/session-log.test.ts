import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type LogEvent, newEvent } from '../../src-shared/events.ts';
import { FIRST_EPOCH, InputId, NO_SEQ, RunId, Seq } from '../../src-shared/ids.ts';
import { initialState } from '../../src-shared/session-state.ts';
import type { AppendRequest } from '../store/store.ts';
import { SessionLog } from './session-log.ts';

const runId = RunId.parse('00000000-0000-4000-8000-000000000001');
const inputId = InputId.parse('00000000-0000-4000-8000-000000000002');
const output = (text: string) => ({ channel: 'pty:stdout', type: 'data', payload: Buffer.from(text) });
const renamed = (title: string) => newEvent('system:status', 'renamed', { title });

/** A store that answers when the test says so, in the order of the calls, as the real one does. */
class HandStore {
  readonly asked: AppendRequest[] = [];
  readonly #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  append(request: AppendRequest): Promise<void> {
    this.asked.push(request);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }
  async commit(count = this.#waiting.length): Promise<void> {
    for (const { resolve } of this.#waiting.splice(0, count)) resolve();
    await settled();
  }
  /** The real store refuses the failed append and everything behind it. */
  async refuse(count = this.#waiting.length): Promise<void> {
    for (const { reject } of this.#waiting.splice(0, count)) reject(new Error('the disk is full'));
    await settled();
  }
  get seqs(): number[][] {
    return this.asked.map(({ events }) => events.map(({ seq }) => seq));
  }
}
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

let store: HandStore;
let shown: LogEvent[];
let troubles: (string | null)[];
let log: SessionLog;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  store = new HandStore();
  shown = [];
  troubles = [];
  log = new SessionLog({
    runId,
    epoch: FIRST_EPOCH,
    store,
    lastSeq: NO_SEQ,
    state: initialState({ kind: 'echo', cwd: '/' }),
    now: () => 1,
    onPublish: (events) => shown.push(...events),
    onTrouble: (message) => troubles.push(message),
    checkpoint: (state) => ({ status: state.status, meta: { title: state.title } }),
  });
  return () => {
    log.close();
    vi.useRealTimers();
  };
});
const shownSeqs = () => shown.map(({ seq }) => seq);
const failureOf = (asked: Promise<unknown>) =>
  asked.then(
    () => null,
    (error: unknown) => error,
  );

describe('order', () => {
  it('[seq-1] [seq-2] output is numbered densely and shown before it is committed', async () => {
    void log.append([output('a'), output('b')]);
    void log.append([output('c')]);
    expect(shownSeqs()).toEqual([1, 2, 3]);
    expect(store.seqs).toEqual([[1, 2], [3]]);
    await store.commit();
    expect(log.pendingBytes).toBe(0);
  });

  it('[seq-7] what someone may act on is shown when it is fsynced, and what is behind it waits for it', async () => {
    void log.append([output('a')]);
    const durable = log.append([renamed('new')], { durable: true });
    void log.append([output('b')]);
    expect(shownSeqs()).toEqual([1]);
    expect(log.state.title).toBe('new');
    expect(log.published.state.title).toBeNull();
    await store.commit(2);
    expect(await durable).toBe(2);
    expect(shownSeqs()).toEqual([1, 2, 3]);
    expect(log.published.state.title).toBe('new');
  });

  it('the checkpoint goes along with what changes the state, and with nothing else', async () => {
    void log.append([renamed('one')]);
    void log.append([output('a')]);
    void log.append([renamed('two')]);
    expect(store.asked.map(({ meta }) => meta?.meta)).toEqual([{ title: 'one' }, undefined, { title: 'two' }]);
  });

  it('the answer to a command is stored in the same transaction', () => {
    const input = (seq: Seq) => ({ inputId, contentHash: 'hash', answer: seq });
    void log.append([output('a')]);
    void log.append([renamed('one')], { durable: true, input });
    expect(store.asked[1]?.input).toEqual({ inputId, contentHash: 'hash', answer: 2 });
  });
});

describe('[engine-3] a store that refuses', () => {
  it('refuses the command with the reason, leaves no number behind, and goes on', async () => {
    const refused = failureOf(log.append([renamed('new')], { durable: true, refusable: true }));
    await store.refuse();
    expect(await refused).toMatchObject({ refusal: { code: 'failed', message: expect.stringContaining('the disk is full') } });
    expect(log.state.title).toBeNull();
    expect(shown).toEqual([]);
    expect(troubles).toEqual(['the disk is full']);
    vi.advanceTimersByTime(500);
    expect(troubles.at(-1)).toBeNull();
    const next = log.append([renamed('next')], { durable: true, refusable: true });
    await store.commit();
    expect(await next).toBe(1);
    expect(shownSeqs()).toEqual([1]);
  });

  it('loses no output: what was shown keeps its number and is tried again until it is stored', async () => {
    const first = log.append([output('a')]);
    const second = log.append([output('b')]);
    await store.refuse();
    void log.append([output('c')]);
    expect(shownSeqs()).toEqual([1, 2, 3]);
    expect(store.seqs).toEqual([[1], [2]]);
    vi.advanceTimersByTime(500);
    expect(store.seqs.slice(2)).toEqual([[1], [2], [3]]);
    await store.refuse();
    vi.advanceTimersByTime(500);
    await store.commit();
    expect(await Promise.all([first, second])).toEqual([1, 2]);
    expect(log.pendingBytes).toBe(0);
    expect(shownSeqs()).toEqual([1, 2, 3]);
  });

  it('closes the numbers up behind a refused command: what nobody has seen moves, what somebody has does not', async () => {
    void log.append([output('seen')]);
    const refused = failureOf(log.append([renamed('refused')], { durable: true, refusable: true }));
    const kept = log.append([renamed('kept')], { durable: true });
    void log.append([output('behind')]);
    expect(store.seqs).toEqual([[1], [2], [3], [4]]);
    await store.refuse();
    expect(await refused).toBeInstanceOf(Error);
    expect(log.state.title).toBe('kept');
    vi.advanceTimersByTime(500);
    expect(store.seqs.slice(4)).toEqual([[1], [2], [3]]);
    await store.commit();
    expect(await kept).toBe(2);
    expect(shownSeqs()).toEqual([1, 2, 3]);
    expect(shown.map(({ channel }) => channel)).toEqual(['pty:stdout', 'system:status', 'pty:stdout']);
  });

  it('that answers late is asked again when it has answered everything: else what was written before comes between', async () => {
    const refused = failureOf(log.append([renamed('refused')], { durable: true, refusable: true }));
    const kept = log.append([renamed('kept')], { durable: true });
    await store.refuse(1);
    expect(await refused).toBeInstanceOf(Error);
    vi.advanceTimersByTime(500);
    expect(store.seqs).toEqual([[1], [2]]);
    await store.refuse();
    expect(store.seqs).toEqual([[1], [2], [1]]);
    await store.commit();
    expect(await kept).toBe(1);
    vi.advanceTimersByTime(500);
    expect(store.seqs.length).toBe(3);
  });

  it('to delete the session has it go on with what was not stored', async () => {
    void log.append([output('a')]);
    log.close();
    await store.refuse();
    log.reopen();
    const next = log.append([output('b')]);
    vi.advanceTimersByTime(500);
    expect(store.seqs).toEqual([[1], [1], [2]]);
    await store.commit();
    expect(await next).toBe(2);
    expect(log.pendingBytes).toBe(0);
  });

  it('for good keeps nobody waiting for ever: settling gives up after its time', async () => {
    void log.append([output('a')]);
    await store.refuse();
    const isSettled = log.settled(5_000);
    vi.advanceTimersByTime(5_000);
    expect(await isSettled).toBe(false);
    log.close();
    await expect(log.append([output('b')])).rejects.toMatchObject({ refusal: { code: 'shutting-down' } });
  });
});

describe('memory', () => {
  it('[seq-3] serves what is recent, about as much as asked for, and says when it no longer can', async () => {
    for (let number = 1; number <= 10; number++) void log.append([output(`${number}`.padEnd(100))]);
    expect(log.recent(NO_SEQ, 250)?.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(log.recent(Seq.parse(9), 0)?.map(({ seq }) => seq)).toEqual([10]);
    expect(log.recent(Seq.parse(10), 100)).toEqual([]);
    expect(log.outputAfter(Seq.parse(7))).toBe(300);
    const large = output('x'.repeat(1024 * 1024));
    for (let number = 0; number < 4; number++) void log.append([large]);
    await store.commit();
    expect(log.recent(Seq.parse(5), 100)).toBeNull();
    expect(log.recent(Seq.parse(13), 100)?.map(({ seq }) => seq)).toEqual([14]);
  });

  it('settles when everything is stored', async () => {
    expect(await log.settled(1_000)).toBe(true);
    void log.append([output('a')]);
    const isSettled = log.settled(1_000);
    await store.commit();
    expect(await isSettled).toBe(true);
  });
});
