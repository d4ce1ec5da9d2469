import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLog } from './damage.ts';
import { batchOf, create, json, newSession, numbered, output, runIdOf, temporaryFolder, write } from './store.fixture.ts';
import { Writer } from './writer.ts';

let folder: ReturnType<typeof temporaryFolder>;
let db: Database;
let writer: Writer;

beforeEach(() => {
  folder = temporaryFolder();
  db = openLog(folder.file).db;
  writer = new Writer(db, folder.file);
});

afterEach(() => {
  db.close();
  folder.remove();
});

function stored(): unknown[] {
  return db.prepare('SELECT run_id, seq FROM session_events ORDER BY run_id, seq').raw().all();
}

describe('a batch', () => {
  it('[seq-8] refuses a gap, a repetition and a lower epoch, and commits everything else in it', () => {
    const [one, two] = [create(writer, 1, [output('a')]), create(writer, 2)];
    const { failures } = write(
      writer,
      { key: 1, events: numbered(one, 2, [output('b')], 2) },
      { key: 1, events: numbered(one, 4, [output('gap')], 2) },
      { key: 2, events: numbered(two, 1, [output('other session')]) },
      { key: 1, events: numbered(one, 2, [output('repetition')], 2) },
      { key: 1, events: numbered(one, 3, [output('lower epoch')], 1) },
      { key: 1, events: numbered(one, 3, [output('c'), output('d')], 2) },
      { key: 9, events: numbered(one, 1, [output('no such session')]) },
    );
    expect([...failures].map(([place, { code }]) => [place, code])).toEqual([
      [1, 'not-continuing'],
      [3, 'not-continuing'],
      [4, 'not-continuing'],
      [6, 'unknown-session'],
    ]);
    expect(stored()).toEqual([
      [one, 1],
      [one, 2],
      [one, 3],
      [one, 4],
      [two, 1],
    ]);
    expect(db.prepare('SELECT epoch FROM sessions WHERE key = 1').pluck().get()).toBe(2);
  });

  it('[seq-8] refuses events of which a later one does not continue, as a whole', () => {
    const runId = create(writer, 1);
    const [first, , third] = numbered(runId, 1, [output('a'), output('b'), output('c')]);
    if (!first || !third) throw new Error('three events');
    expect(write(writer, { key: 1, events: [first, third] }).failures.get(0)?.message).toMatch(/event 3: the log ends at 1/);
    expect(stored()).toEqual([]);
    expect(write(writer, { key: 1, events: [first] }).failures.size).toBe(0);
  });

  it('[input-1] records an input once: the same id again takes its events back too', () => {
    const runId = create(writer, 1);
    const input = { inputId: 'i', contentHash: 'h', answer: { ok: true } };
    const annotate = { op: 'annotate', key: 1, input, meta: null } as const;
    write(writer, { key: 1, extra: annotate, events: numbered(runId, 1, [json('first')]) });
    const { failures } = write(
      writer,
      { key: 1, extra: annotate, events: numbered(runId, 2, [json('again')]) },
      { key: 1, events: numbered(runId, 2, [json('next')]) },
    );
    expect([...failures].map(([place, { code }]) => [place, code])).toEqual([[0, 'input-exists']]);
    expect(db.prepare('SELECT seq, payload FROM session_events').raw().all()).toEqual([
      [1, '"first"'],
      [2, '"next"'],
    ]);
  });

  it('creates a session with its first events or not at all', () => {
    const row = newSession(runIdOf(1));
    const events = numbered(row.runId, 2, [json('does not begin at 1')]);
    const failed = write(writer, { key: 1, extra: { op: 'create', key: 1, row, input: null, missing: null }, events });
    expect(failed.failures.get(0)?.code).toBe('not-continuing');
    expect(db.prepare('SELECT count(*) FROM sessions').pluck().get()).toBe(0);
    create(writer, 1, [json('begins at 1')]);
    const again = write(writer, { key: 2, extra: { op: 'create', key: 2, row, input: null, missing: null } });
    expect(again.failures.get(0)?.code).toBe('session-exists');
    expect(write(writer, { key: 2, events: numbered(row.runId, 1, [json(1)]) }).failures.get(0)?.code).toBe('unknown-session');
  });

  it('keeps bytes as BLOB and JSON as TEXT', () => {
    create(writer, 1, [output('{"a":1}'), json({ a: 1 })]);
    expect(db.prepare('SELECT typeof(payload) FROM session_events').pluck().all()).toEqual(['blob', 'text']);
  });

  it('says that all is synced only after a durable batch that wrote events', () => {
    const runId = create(writer, 1);
    const events = (seq: number) => numbered(runId, seq, [output('x')]);
    expect(writer.write(batchOf([{ key: 1, events: events(1) }], false)).isSynced).toBe(false);
    expect(writer.write(batchOf([{ key: 1, events: events(2) }], true)).isSynced).toBe(true);
    expect(writer.write(batchOf([{ key: 1, events: events(2) }], true)).isSynced).toBe(false);
    expect(writer.write(batchOf([{ key: 1, extra: { op: 'child-gone', key: 1, pid: 1 } }], true)).isSynced).toBe(false);
  });

  it('syncs each durable commit, and only those', () => {
    const runId = create(writer, 1);
    const level = () => db.pragma('synchronous', { simple: true });
    writer.write(batchOf([{ key: 1, events: numbered(runId, 1, [output('x')]) }], true));
    expect(level()).toBe(2);
    writer.write(batchOf([{ key: 1, events: numbered(runId, 2, [output('x')]) }], false));
    expect(level()).toBe(1);
  });
});

describe('a full disk', () => {
  const large = () => output('x'.repeat(200_000));

  it('refuses what does not fit, in words, and goes on when there is room again', () => {
    const runId = create(writer, 1, [output('a')]);
    db.pragma(`max_page_count = ${Number(db.pragma('page_count', { simple: true })) + 4}`);
    const refused = write(writer, { key: 1, events: numbered(runId, 2, [large()]) });
    expect(refused.failures.get(0)?.code).toBe('disk-full');
    expect(refused.failures.get(0)?.message).toMatch(/^Cannot write to the log: the disk that holds .*baton\.db is full\. Free/);
    // What comes after it in that session would leave a gap.
    expect(write(writer, { key: 1, events: numbered(runId, 3, [output('c')]) }).failures.get(0)?.code).toBe('not-continuing');
    db.pragma('max_page_count = 1000000');
    expect(write(writer, { key: 1, events: numbered(runId, 2, [large(), output('c')]) }).failures.size).toBe(0);
    expect(stored()).toHaveLength(3);
  });

  it('costs only those in the batch that do not fit', () => {
    const [one, two] = [create(writer, 1), create(writer, 2)];
    db.pragma(`max_page_count = ${Number(db.pragma('page_count', { simple: true })) + 4}`);
    const { failures } = write(
      writer,
      { key: 1, events: numbered(one, 1, [output('fits')]) },
      { key: 1, events: numbered(one, 2, [large()]) },
      { key: 2, events: numbered(two, 1, [output('fits too')]) },
    );
    expect([...failures].map(([place, { code }]) => [place, code])).toEqual([[1, 'disk-full']]);
    expect(stored()).toEqual([
      [one, 1],
      [two, 1],
    ]);
  });
});

it('goes on after a restart where each log ended', () => {
  const runId = create(writer, 1, [output('a'), output('bc')]);
  writer = new Writer(db, folder.file);
  expect(writer.heads.get(1)).toMatchObject({ lastSeq: 2, epoch: 1, outputBytes: 3 });
  expect(write(writer, { key: 1, events: numbered(runId, 4, [output('gap')]) }).failures.size).toBe(1);
  expect(write(writer, { key: 1, events: numbered(runId, 3, [output('d')]) }).failures.size).toBe(0);
});
