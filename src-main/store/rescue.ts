import type { Database, Statement } from 'better-sqlite3';
import { type ChainHash, hashFromBytes, NO_HASH } from './chain.ts';
import { addGap } from './gaps.ts';
import { MAX_SEQ, rowId, type StoredRow, seqOf } from './row-id.ts';
import { isDamage } from './store-error.ts';

const OUTPUT_CHANNEL = 'pty:stdout';
/** Events copied in one transaction. */
const PIECE = 500;

/**
 * Copies what can be read of a damaged log. Of each session the events before the first and after the last damaged page survive;
 * the hole between them becomes a gap. Tables that cannot be read are left out.
 */
export function rescue(source: Database, target: Database): { readonly sessions: number; readonly events: number } {
  const sessions = readable(() =>
    source.prepare<[], Record<string, unknown>>('SELECT * FROM sessions WHERE deleted = 0').iterate(),
  );
  let events = 0;
  for (const session of sessions) {
    const key = Number(session.key);
    insertInto(target, 'sessions', session);
    events += rescueSession(source, target, key);
    for (const table of ['screens', 'inputs', 'drafts', 'children']) {
      copyRows(source, target, table, 'WHERE key = ?', key);
    }
  }
  for (const table of ['workspace_layout', 'facts']) copyRows(source, target, table, '');
  const inSource = new Set(
    readable(() => source.prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'").iterate()).map(
      ({ name }) => name,
    ),
  );
  // A file of an older format does not have them all.
  for (const table of ['documents', 'document_updates', 'outbox', 'replicas']) {
    if (inSource.has(table)) copyRows(source, target, table, '');
  }
  return { sessions: sessions.length, events };
}

function rescueSession(source: Database, target: Database, key: number): number {
  copyRows(source, target, 'gaps', 'WHERE id BETWEEN ? AND ?', rowId(key, 1), rowId(key, MAX_SEQ));
  const front = copyEvents(source, target, key, 1, 'ASC');
  const back = front.isWhole ? { count: 0, seq: 0 } : copyEvents(source, target, key, front.seq + 1, 'DESC');
  if (back.count > 0 && back.seq > front.seq + 1) addHole(target, key, front.seq + 1, back.seq);
  saveHead(target, key);
  return front.count + back.count;
}

/** Copies from `fromSeq` on, from either end, as far as it goes. `seq` is the last one copied. */
function copyEvents(source: Database, target: Database, key: number, fromSeq: number, order: 'ASC' | 'DESC') {
  let [low, high] = [rowId(key, fromSeq), rowId(key, MAX_SEQ)];
  let count = 0;
  let seq = fromSeq - 1;
  const select = source.prepare<[number, number], StoredRow>(
    `SELECT * FROM events WHERE id BETWEEN ? AND ? ORDER BY id ${order} LIMIT ${PIECE}`,
  );
  for (;;) {
    const { rows, isWhole } = readSome(() => select.iterate(low, high));
    target.transaction(() => {
      for (const row of rows) insertInto(target, 'events', { ...row });
    })();
    const last = rows.at(-1);
    if (last !== undefined) {
      count += rows.length;
      seq = seqOf(last.id);
      if (order === 'ASC') low = last.id + 1;
      else high = last.id - 1;
    }
    if (!isWhole || rows.length < PIECE) return { count, seq, isWhole };
  }
}

/** The events that a hole separates keep their own hashes; the link across it is lost. */
function addHole(target: Database, key: number, fromSeq: number, nextSeq: number): void {
  const known = target
    .prepare<[number, number], { bytes: number }>('SELECT 1 AS bytes FROM gaps WHERE id >= ? AND id < ?')
    .get(rowId(key, fromSeq), rowId(key, nextSeq));
  const next = target.prepare<[number], StoredRow>('SELECT * FROM events WHERE id = ?').get(rowId(key, nextSeq));
  if (known !== undefined || next === undefined) return;
  const gap = { fromSeq, toSeq: nextSeq - 1, ts: next.ts, epoch: next.epoch, bytes: 0, reason: 'damaged', hash: null };
  addGap(target, key, gap);
}

function saveHead(target: Database, key: number): void {
  const range = [rowId(key, 1), rowId(key, MAX_SEQ)] as const;
  const last = target
    .prepare<[number, number], StoredRow>('SELECT * FROM events WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1')
    .get(...range);
  const output = target
    .prepare<[number, number, string], { bytes: number }>(
      'SELECT coalesce(sum(octet_length(payload)), 0) AS bytes FROM events WHERE id BETWEEN ? AND ? AND channel = ?',
    )
    .get(...range, OUTPUT_CHANNEL);
  const hash: ChainHash = last ? hashFromBytes(last.hash) : NO_HASH;
  insertInto(target, 'heads', {
    key,
    last_seq: last ? seqOf(last.id) : 0,
    last_ts: last?.ts ?? 0,
    hash: Buffer.from(hash, 'latin1'),
    output_bytes: output?.bytes ?? 0,
  });
}

function copyRows(source: Database, target: Database, table: string, where: string, ...params: number[]): void {
  const rows = readable(() =>
    source.prepare<number[], Record<string, unknown>>(`SELECT * FROM ${table} ${where}`).iterate(...params),
  );
  target.transaction(() => {
    for (const row of rows) insertInto(target, table, row);
  })();
}

/** Prepared once per table: there may be millions of rows. */
const inserts = new WeakMap<Database, Map<string, Statement>>();

function insertInto(target: Database, table: string, row: Readonly<Record<string, unknown>>): void {
  const columns = Object.keys(row);
  const values = columns.map((column) => `@${column}`);
  const prepared = inserts.get(target) ?? new Map<string, Statement>();
  const insert =
    prepared.get(table) ??
    target.prepare(`INSERT OR REPLACE INTO ${table} (${columns.join(', ')}) VALUES (${values.join(', ')})`);
  inserts.set(target, prepared.set(table, insert));
  insert.run(row);
}

/** The rows up to the first damaged page. */
function readSome<R>(rows: () => Iterable<R>): { readonly rows: R[]; readonly isWhole: boolean } {
  const read: R[] = [];
  try {
    for (const row of rows()) read.push(row);
    return { rows: read, isWhole: true };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { rows: read, isWhole: false };
  }
}

function readable<R>(rows: () => Iterable<R>): R[] {
  return readSome(rows).rows;
}
