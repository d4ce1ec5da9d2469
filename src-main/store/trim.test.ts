import type { Database } from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLog } from './damage.ts';
import { unpackEvents } from './event-page.ts';
import { Reader } from './reader.ts';
import { MAX_SEQ } from './row-id.ts';
import { create, json, numbered, output, runIdOf, temporaryFolder, write } from './store.fixture.ts';
import { Compaction, removeDeleted, shrink } from './trim.ts';
import { Verification } from './verify.ts';
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

function readAll(key = 1) {
  const query = { key, after: 0, upTo: MAX_SEQ, channels: null, limit: 10_000, maxBytes: 1e9, fromEnd: false };
  return unpackEvents(runIdOf(key), new Reader(db, folder.file).read(query));
}

function verify(key = 1) {
  const verification = new Verification(db, key);
  for (;;) {
    const verdict = verification.step();
    if (verdict !== null) return verdict;
  }
}

function compact(keepBytes: number) {
  const compaction = new Compaction(db, writer, 1, keepBytes);
  let steps = 0;
  while (compaction.step()) steps++;
  return { freedBytes: compaction.freedBytes, throughSeq: compaction.throughSeq, steps };
}

const lines = (count: number, bytes: number) => Array.from({ length: count }, (_, n) => output(`${n}`.padEnd(bytes, '.')));

describe('compaction', () => {
  it('[seq-9] swaps the oldest output for gaps, keeps every other event, and the chain still verifies', () => {
    const resized = json({ cols: 80, rows: 24 }, 'pty:resize', 'resized');
    create(writer, 1, [json('first'), ...lines(5, 100), resized, ...lines(10, 100)]);
    const before = verify();
    const done = compact(300);
    expect(done).toMatchObject({ freedBytes: 1200, throughSeq: 14 });
    expect(readAll().map(({ seq, type, payload }) => [seq, type === 'gap' ? payload : type])).toEqual([
      [1, 'message'],
      [6, { fromSeq: 2, toSeq: 6, bytes: 500, reason: 'quota' }],
      [7, 'resized'],
      [14, { fromSeq: 8, toSeq: 14, bytes: 700, reason: 'quota' }],
      [15, 'data'],
      [16, 'data'],
      [17, 'data'],
    ]);
    expect(before.ok).toBe(true);
    expect(verify()).toEqual(before);
    expect(writer.heads.get(1)?.outputBytes).toBe(300);
  });

  it('[seq-9] lengthens its gap when it comes again, and does nothing within the quota', () => {
    const runId = create(writer, 1, lines(10, 100));
    compact(500);
    expect(compact(500)).toMatchObject({ freedBytes: 0, throughSeq: 5 });
    write(writer, { key: 1, events: numbered(runId, 11, lines(3, 100)) });
    expect(compact(500)).toMatchObject({ freedBytes: 300, throughSeq: 8 });
    expect(readAll().filter(({ type }) => type === 'gap')).toHaveLength(1);
    expect(readAll()[0]?.payload).toEqual({ fromSeq: 1, toSeq: 8, bytes: 800, reason: 'quota' });
    expect(verify().ok).toBe(true);
  });

  it('[seq-9] reaches up to a screen that follows closely, and no further', () => {
    create(writer, 1, lines(20, 100));
    const put = (seq: number) =>
      write(writer, {
        key: 1,
        extra: { op: 'screen', key: 1, screen: { seq: seq as never, cols: 80, rows: 24, data: `at ${seq}` } },
      });
    for (const seq of [2, 7, 18]) put(seq);
    expect(compact(1500)).toMatchObject({ freedBytes: 700, throughSeq: 7 });
    expect(readAll()[0]?.payload).toMatchObject({ fromSeq: 1, toSeq: 7 });
    expect(new Reader(db, folder.file).screen({ key: 1, atOrBefore: 7 })).toEqual({ seq: 7, cols: 80, rows: 24, data: 'at 7' });
    // The next screen is more than half of what may be kept away.
    expect(compact(1200)).toMatchObject({ freedBytes: 100, throughSeq: 8 });
  });

  it('[seq-9] always keeps the newest event', () => {
    create(writer, 1, lines(4, 100));
    expect(compact(0)).toMatchObject({ freedBytes: 300, throughSeq: 3 });
    expect(verify().ok).toBe(true);
  });

  it('[seq-9] works in steps, between which the log can be written and is whole', () => {
    const runId = create(writer, 1, lines(100, 100_000));
    const compaction = new Compaction(db, writer, 1, 1_000_000);
    expect(compaction.step()).toBe(true);
    const midway = readAll()[0]?.payload;
    expect(midway).toMatchObject({ fromSeq: 1, reason: 'quota' });
    expect(verify().ok).toBe(true);
    write(writer, { key: 1, events: numbered(runId, 101, lines(1, 100_000)) });
    // As after a crash: a new process begins anew where the last transaction ended.
    writer = new Writer(db, folder.file);
    expect(compact(1_000_000).freedBytes).toBeGreaterThan(0);
    expect(writer.heads.get(1)?.outputBytes).toBe(1_000_000);
    expect(readAll().map(({ type }) => type)).toEqual(['gap', ...Array.from({ length: 10 }, () => 'data')]);
    expect(verify().ok).toBe(true);
  });

  it('[seq-9] keeps few of the screens of what is gone', () => {
    create(writer, 1, lines(60, 100));
    for (let seq = 1; seq <= 50; seq++) {
      write(writer, { key: 1, extra: { op: 'screen', key: 1, screen: { seq: seq as never, cols: 80, rows: 24, data: '' } } });
    }
    compact(1000);
    const kept = db.prepare('SELECT seq FROM screens ORDER BY seq').pluck().all();
    expect(kept).toEqual([35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50]);
  });
});

describe('verification', () => {
  it('[seq-5] names the first event whose bytes, place or time were changed', () => {
    const change = (sql: string) => {
      db.exec('SAVEPOINT change');
      db.exec(sql);
      const verdict = verify();
      db.exec('ROLLBACK TO change');
      db.exec('RELEASE change');
      return verdict;
    };
    create(writer, 1, [json('a'), ...lines(5, 10), json('z')]);
    const id = (seq: number) => 2 ** 32 + seq;
    expect(change(`UPDATE events SET payload = x'00' WHERE id = ${id(3)}`)).toMatchObject({ ok: false, seq: 3 });
    expect(change(`UPDATE events SET payload = CAST(payload AS BLOB) WHERE id = ${id(1)}`)).toMatchObject({ ok: false, seq: 1 });
    expect(change(`UPDATE events SET ts = ts + 1 WHERE id = ${id(4)}`)).toMatchObject({ ok: false, seq: 4 });
    expect(change(`UPDATE events SET epoch = 2 WHERE id = ${id(5)}`)).toMatchObject({ ok: false, seq: 5 });
    expect(change(`UPDATE events SET type = 'other' WHERE id = ${id(7)}`)).toMatchObject({ ok: false, seq: 7 });
    expect(change(`DELETE FROM events WHERE id = ${id(2)}`)).toEqual({ ok: false, seq: 2, message: 'Event 2 is missing.' });
    expect(change(`DELETE FROM events WHERE id = ${id(7)}`)).toMatchObject({ ok: false, seq: 7 });
    expect(change(`UPDATE heads SET hash = zeroblob(32)`)).toMatchObject({ ok: false, seq: 7 });
    expect(verify()).toMatchObject({ ok: true });
  });
});

describe('deletion', () => {
  it('removes everything of the session in steps, also in a later process, and nothing of another', () => {
    create(writer, 1, lines(100, 100_000));
    create(writer, 2, [output('stays')]);
    write(writer, { key: 1, extra: { op: 'delete', key: 1 } });
    expect(removeDeleted(db, writer)).toBe(true);
    const left = () => db.prepare('SELECT count(*) FROM events').pluck().get();
    expect(left()).toBeGreaterThan(1);
    expect(new Reader(db, folder.file).sessions()).toHaveLength(1);
    writer = new Writer(db, folder.file);
    while (removeDeleted(db, writer));
    expect(left()).toBe(1);
    expect(db.prepare('SELECT key FROM sessions').pluck().all()).toEqual([2]);
    expect(db.prepare('SELECT key FROM heads').pluck().all()).toEqual([2]);
  });

  it('gives the space back to the disk', () => {
    create(writer, 1, lines(100, 100_000));
    write(writer, { key: 1, extra: { op: 'delete', key: 1 } });
    const pages = () => Number(db.pragma('page_count', { simple: true }));
    const before = pages();
    while (removeDeleted(db, writer));
    while (shrink(db));
    expect(pages()).toBeLessThan(before / 2);
  });
});
