import { closeSync, existsSync, openSync, rmSync } from 'node:fs';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { isDamage } from './store-error.ts';

/**
 * The search index lies in a file of its own: it can be made anew from the log at any time, grows to about half the text it covers,
 * and is written by another thread than the log. A segment is a run of a session's events; `texts` knows which trigrams occur in
 * it (not where: the text itself is read from the log, and searched).
 */
const FORMAT = 1;
const SCHEMA = `
  CREATE TABLE about (log_id TEXT NOT NULL) STRICT;
  -- Events up to seq are indexed. is_open: the last of them may go on in the next, which is then indexed together with it.
  CREATE TABLE cursors (key INTEGER PRIMARY KEY, seq INTEGER NOT NULL, is_open INTEGER NOT NULL) STRICT;
  -- id: as in the log's events, of the last event. overlaps: the first event belongs to the segment before, too. is_open: the
  -- last one may go on in the next, which the segment after it looks at (it overlaps); otherwise the line that the cut went
  -- through belongs to this one.
  CREATE TABLE segments (
    id INTEGER PRIMARY KEY,
    from_seq INTEGER NOT NULL,
    ts INTEGER NOT NULL,
    overlaps INTEGER NOT NULL,
    is_open INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX segments_by_ts ON segments (ts);
  CREATE VIRTUAL TABLE texts USING fts5 (
    text, tokenize = 'trigram', detail = none, content = '', contentless_delete = 1
  );
  PRAGMA user_version = ${FORMAT};
`;

export interface SegmentRow {
  readonly id: number;
  readonly from_seq: number;
  readonly ts: number;
  readonly overlaps: number;
  readonly is_open: number;
}

export function indexPath(file: string): string {
  return `${file}-search`;
}

/** Opens the index of this log for writing; one that belongs to another log, has another format or is damaged is made anew. */
export function openIndexForWriting(file: string, logId: string): Database {
  const path = indexPath(file);
  try {
    const db = openOrCreate(path, logId);
    if (belongsTo(db, logId)) return db;
    db.close();
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  removeIndex(file);
  return openOrCreate(path, logId);
}

function openOrCreate(path: string, logId: string): Database {
  closeSync(openSync(path, 'a', 0o600));
  const db = new SqliteDatabase(path);
  try {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = NORMAL');
    db.pragma('cache_size = -4096');
    if (db.pragma('user_version', { simple: true }) === 0) {
      db.transaction(() => {
        db.exec(SCHEMA);
        db.prepare('INSERT INTO about (log_id) VALUES (?)').run(logId);
      })();
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** null: there is no index of this log yet. */
export function openIndexForReading(file: string, logId: string): Database | null {
  if (!existsSync(indexPath(file))) return null;
  const db = new SqliteDatabase(indexPath(file), { readonly: true });
  try {
    if (belongsTo(db, logId)) return db;
  } catch (error) {
    db.close();
    // The indexer makes it anew; until then, everything is searched without it.
    if (isDamage(error)) return null;
    throw error;
  }
  db.close();
  return null;
}

export function removeIndex(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(indexPath(file) + suffix, { force: true });
}

/** The name by which an index knows its log: made once, kept with the log. */
export function logIdOf(log: Database): string {
  return log.prepare<[], { value_json: string }>(`SELECT value_json FROM facts WHERE name = 'logId'`).get()?.value_json ?? '';
}

function belongsTo(db: Database, logId: string): boolean {
  if (db.pragma('user_version', { simple: true }) !== FORMAT) return false;
  return db.prepare<[], { log_id: string }>('SELECT log_id FROM about').get()?.log_id === logId;
}

/** All trigrams of the text, as a query that finds every segment in which it may occur; null for a text that has none. */
export function trigramQuery(text: string): string | null {
  const characters = [...text];
  const trigrams = new Set<string>();
  for (let at = 0; at + 3 <= characters.length; at++) trigrams.add(characters.slice(at, at + 3).join(''));
  if (trigrams.size === 0) return null;
  return [...trigrams].map((trigram) => `"${trigram.replaceAll('"', '""')}"`).join(' AND ');
}
