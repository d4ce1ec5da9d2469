import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { MessageChannel } from 'node:worker_threads';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { markDamaged, openLog } from './damage.ts';
import { unpackEvents } from './event-page.ts';
import { runCheck } from './page-check.ts';
import { Reader } from './reader.ts';
import { MAX_SEQ, rowId } from './row-id.ts';
import { create, json, output, runIdOf, temporaryFolder, write } from './store.fixture.ts';
import { Verification } from './verify.ts';
import { checkpoint, Writer } from './writer.ts';

const PAGE = 8192;
let folder: ReturnType<typeof temporaryFolder>;

beforeEach(() => {
  folder = temporaryFolder();
  const { db } = openLog(folder.file);
  const writer = new Writer(db, folder.file);
  create(
    writer,
    1,
    Array.from({ length: 300 }, (_, n) => output(`${n}`.padEnd(1000, '.'))),
  );
  create(writer, 2, [json('small'), json('session')]);
  write(writer, { key: 2, extra: { op: 'annotate', key: 2, input: { inputId: 'i', contentHash: 'h', answer: 7 }, meta: null } });
  write(writer, { key: 0, extra: { op: 'fact', name: 'machineId', value: 'm' } });
  checkpoint(db, 'TRUNCATE');
  db.close();
});

afterEach(() => folder.remove());

function query<R>(sql: string): R[] {
  const db = new SqliteDatabase(folder.file, { readonly: true });
  const rows = db.prepare<[], R>(sql).all();
  db.close();
  return rows;
}

/** Overwrites the leaf page on which event `seq` of session 1 lies. */
function damagePageOf(seq: number): void {
  const text = `${seq - 1}`.padEnd(1000, '.');
  const at = readFileSync(folder.file).indexOf(text);
  damagePage(Math.floor(at / PAGE));
}

function damagePage(page: number): void {
  const fd = openSync(folder.file, 'r+');
  writeSync(fd, Buffer.alloc(PAGE, 0xee), 0, PAGE, page * PAGE);
  closeSync(fd);
}

function readAll(db: Database, key: number) {
  const query = { key, after: 0, upTo: MAX_SEQ, channels: null, limit: 1000, maxBytes: 1e9, fromEnd: false };
  return unpackEvents(runIdOf(key), new Reader(db, folder.file).read(query));
}

function headerOf(path: string): string {
  const bytes = Buffer.alloc(15);
  const fd = openSync(path, 'r');
  readSync(fd, bytes, 0, 15, 0);
  closeSync(fd);
  return bytes.toString('latin1');
}

describe('a damaged file', () => {
  it('that cannot even be opened is set aside, never deleted, and a new log is begun', () => {
    damagePage(0);
    const { db, recovered } = openLog(folder.file);
    expect(recovered).toMatchObject({ rescuedSessions: 0, rescuedEvents: 0 });
    expect(recovered?.message).toMatch(
      /^The log .*baton\.db was damaged \(file is not a database\)\. It was put aside as .*damaged-/,
    );
    expect(statSync(recovered?.asidePath ?? '').size).toBeGreaterThan(300_000);
    expect(new Reader(db, folder.file).sessions()).toEqual([]);
    create(new Writer(db, folder.file), 1, [json('works')]);
    db.close();
    const again = openLog(folder.file);
    expect(again.recovered).toBeNull();
    again.db.close();
  });

  it('that is no database at all is set aside too', () => {
    writeFileSync(folder.file, 'some text that somebody put there');
    const { db, recovered } = openLog(folder.file);
    expect(headerOf(recovered?.asidePath ?? '')).toBe('some text that ');
    db.close();
  });

  it('marked by an earlier process gives up what it still holds: everything but the damaged pages', () => {
    damagePageOf(150);
    markDamaged(folder.file);
    const { db, recovered } = openLog(folder.file);
    const events = readAll(db, 1);
    const gap = events.find(({ type }) => type === 'gap');
    expect(gap?.payload).toMatchObject({ reason: 'damaged', bytes: 0 });
    const lost = 300 - (events.length - 1);
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThan(20);
    expect(recovered).toMatchObject({ rescuedSessions: 2, rescuedEvents: 302 - lost });
    expect(readAll(db, 2).map(({ payload }) => payload)).toEqual(['small', 'session']);
    const reader = new Reader(db, folder.file);
    expect(reader.input({ key: 2, inputId: 'i' })?.answer).toBe(7);
    expect(reader.fact({ name: 'machineId' })).toBe('m');
    expect(reader.outputBytes().get(runIdOf(1))).toBe((300 - lost) * 1000);
    for (const key of [1, 2]) expect(new Verification(db, key).step()).toMatchObject({ ok: true });
    // The log goes on where it ended.
    expect(new Writer(db, folder.file).heads.get(1)?.lastSeq).toBe(300);
    db.close();
  });

  it('[seq-5] is rescued with hashes that still find a change after the hole', () => {
    damagePageOf(150);
    markDamaged(folder.file);
    const { db } = openLog(folder.file);
    db.exec(`UPDATE events SET payload = x'00' WHERE id = ${rowId(1, 299)}`);
    expect(new Verification(db, 1).step()).toMatchObject({ ok: false, seq: 299 });
    db.close();
  });

  it('is rescued from the copy when the process died half-way', () => {
    damagePageOf(150);
    markDamaged(folder.file);
    const asidePath = readFileSync(`${folder.file}.damaged`, 'utf8');
    renameSync(folder.file, asidePath);
    writeFileSync(`${folder.file}.rescue`, 'half of a file');
    const { db, recovered } = openLog(folder.file);
    expect(recovered).toMatchObject({ asidePath, rescuedSessions: 2 });
    db.close();
    expect(readdirSync(folder.path).filter((name) => name.includes('rescue') || name.endsWith('.damaged'))).toEqual([]);
  });

  it('of which nothing is left but the mark does not stop a new log', () => {
    markDamaged(folder.file);
    renameSync(folder.file, `${folder.file}.taken-away`);
    const { db, recovered } = openLog(folder.file);
    expect(recovered).toBeNull();
    db.close();
    expect(existsSync(`${folder.file}.damaged`)).toBe(false);
  });
});

describe('the page check', () => {
  async function check(): Promise<unknown> {
    const { port1, port2 } = new MessageChannel();
    try {
      const answer = new Promise((resolve) => port2.once('message', resolve));
      runCheck(port1, folder.file);
      return await answer;
    } finally {
      port1.close();
    }
  }

  it('finds nothing in a good file', async () => {
    expect(await check()).toEqual({ kind: 'checked', found: null });
    expect(existsSync(`${folder.file}.damaged`)).toBe(false);
  });

  it('finds a damaged page and leaves the mark that the next start looks for', async () => {
    damagePageOf(200);
    expect(await check()).toMatchObject({ kind: 'checked', found: expect.stringContaining('events') });
    const { db, recovered } = openLog(folder.file);
    expect(recovered?.rescuedSessions).toBe(2);
    db.close();
  });
});

it('makes the file for this user alone, whatever the umask', () => {
  expect(statSync(folder.file).mode & 0o777).toBe(0o600);
  expect(query<{ name: string }>("SELECT name FROM sqlite_schema WHERE name = 'session_events'")).toHaveLength(1);
});
