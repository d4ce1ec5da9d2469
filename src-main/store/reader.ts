import { statSync } from 'node:fs';
import type { Database, Statement } from 'better-sqlite3';
import type { Json } from '../../src-shared/events.ts';
import type { RunId, Seq } from '../../src-shared/ids.ts';
import type { Screen } from '../../src-shared/operations.ts';
import { EventPageWriter } from './event-page.ts';
import { type Gap, gapsBetween } from './gaps.ts';
import type { EventPage, ReadQuery } from './messages.ts';
import { rowId, seqOf } from './row-id.ts';
import type { InputRecord, SessionRow } from './store.ts';

/** Rows fetched at first, before their size is known, and at most. */
const FIRST_ROWS = 16;
const MAX_ROWS = 1024;

/** id, epoch, ts, channel, type, is JSON, payload */
type Row = [id: number, epoch: number, ts: number, channel: string, type: string, isJson: number, payload: Buffer];

/** Answers from a read-only connection; short statements only, so that neither a write nor the next question waits long. */
export class Reader {
  readonly #db: Database;
  readonly #file: string;
  readonly #statements = new Map<string, Statement>();

  constructor(db: Database, file: string) {
    this.#db = db;
    this.#file = file;
  }

  sessions(): SessionRow[] {
    const rows = this.#prepare<{
      run_id: RunId;
      kind: string;
      status: string;
      epoch: SessionRow['epoch'];
      created_ts: number;
      meta_json: string;
      last_seq: Seq;
      last_ts: number;
    }>(
      `SELECT s.run_id, s.kind, s.status, s.epoch, s.created_ts, s.meta_json, h.last_seq, h.last_ts
       FROM sessions s JOIN heads h ON h.key = s.key WHERE s.deleted = 0 ORDER BY s.key`,
    ).all();
    return rows.map((row) => ({
      runId: row.run_id,
      kind: row.kind,
      status: row.status,
      epoch: row.epoch,
      createdTs: row.created_ts,
      meta: parseJson(row.meta_json),
      lastSeq: row.last_seq,
      lastTs: row.last_ts,
    }));
  }

  input({ key, inputId }: { key: number; inputId: string }): InputRecord | null {
    const row = this.#prepare<{ content_hash: string; answer_json: string }>(
      'SELECT content_hash, answer_json FROM inputs WHERE key = ? AND input_id = ?',
    ).get(key, inputId);
    return row ? { inputId, contentHash: row.content_hash, answer: parseJson(row.answer_json) } : null;
  }

  /** One consistent state, or a run that is being compacted could be missing with its gap not yet there. */
  read(query: ReadQuery): EventPage {
    return this.#db.transaction(() => this.#read(query))();
  }

  #read(query: ReadQuery): EventPage {
    const { key, after, upTo, channels } = query;
    const { rows, isWhole } = this.#rows(query);
    const showsGaps = channels === null || channels.includes('pty:stdout') || channels.includes('system:status');
    const gaps = showsGaps ? gapsBetween(this.#db, key, after, upTo) : [];
    if (query.fromEnd) gaps.reverse();
    const items = gaps.length === 0 ? rows : merge(rows, gaps, query.fromEnd, isWhole).slice(0, query.limit);
    return pack(query.fromEnd ? items.toReversed() : items);
  }

  /** Fetched piece by piece: the sizes seen so far say how many more are worth fetching. `isWhole`: there are no more. */
  #rows(query: ReadQuery): { readonly rows: Row[]; readonly isWhole: boolean } {
    const statement = this.#rowStatement(query);
    const channels = query.channels === null ? [] : [JSON.stringify(query.channels)];
    let low = rowId(query.key, query.after + 1);
    let high = rowId(query.key, query.upTo);
    const rows: Row[] = [];
    let bytes = 0;
    for (let fetch = FIRST_ROWS; ; ) {
      fetch = Math.min(fetch, query.limit - rows.length);
      const piece = statement.all(low, high, ...channels, fetch);
      for (const row of piece) {
        bytes += row[6].length;
        if (rows.length > 0 && bytes > query.maxBytes) return { rows, isWhole: false };
        rows.push(row);
      }
      const last = piece.at(-1);
      if (piece.length < fetch || last === undefined) return { rows, isWhole: true };
      if (rows.length === query.limit) return { rows, isWhole: false };
      if (query.fromEnd) high = last[0] - 1;
      else low = last[0] + 1;
      fetch = Math.min(MAX_ROWS, 1 + Math.ceil((query.maxBytes - bytes) / Math.max(1, bytes / rows.length)));
    }
  }

  #rowStatement(query: ReadQuery): Statement<unknown[], Row> {
    const { channels } = query;
    const isBesideOutput = channels !== null && !channels.includes('pty:stdout');
    const sql = `SELECT id, epoch, ts, channel, type, typeof(payload) = 'text', CAST(payload AS BLOB)
      FROM events ${isBesideOutput ? 'INDEXED BY events_beside_output' : ''}
      WHERE id BETWEEN ? AND ?
      ${isBesideOutput ? "AND channel <> 'pty:stdout'" : ''}
      ${channels === null ? '' : 'AND channel IN (SELECT value FROM json_each(?))'}
      ORDER BY id ${query.fromEnd ? 'DESC' : ''} LIMIT ?`;
    return this.#prepare<Row>(sql, true);
  }

  screen({ key, atOrBefore }: { key: number; atOrBefore: number }): Screen | null {
    return (
      this.#prepare<Screen>('SELECT seq, cols, rows, data FROM screens WHERE key = ? AND seq <= ? ORDER BY seq DESC LIMIT 1').get(
        key,
        atOrBefore,
      ) ?? null
    );
  }

  outputBytes(): Map<RunId, number> {
    const rows = this.#prepare<{ run_id: RunId; output_bytes: number }>(
      'SELECT s.run_id, h.output_bytes FROM sessions s JOIN heads h ON h.key = s.key WHERE s.deleted = 0',
    ).all();
    return new Map(rows.map((row) => [row.run_id, row.output_bytes]));
  }

  layout({ clientId }: { clientId: string }): Json {
    const row = this.#prepare<{ layout_json: string }>('SELECT layout_json FROM workspace_layout WHERE client_id = ?').get(
      clientId,
    );
    return row ? parseJson(row.layout_json) : null;
  }

  draft({ key }: { key: number }): string {
    return this.#prepare<{ text: string }>('SELECT text FROM drafts WHERE key = ?').get(key)?.text ?? '';
  }

  fact({ name }: { name: string }): Json {
    const row = this.#prepare<{ value_json: string }>('SELECT value_json FROM facts WHERE name = ?').get(name);
    return row ? parseJson(row.value_json) : null;
  }

  children(): { runId: RunId; pid: number; startTime: string }[] {
    return this.#prepare<{ runId: RunId; pid: number; startTime: string }>(
      `SELECT s.run_id AS runId, c.pid, c.start_time AS startTime FROM children c JOIN sessions s ON s.key = c.key`,
    ).all();
  }

  sizeBytes(): number {
    return ['', '-wal'].reduce((sum, suffix) => sum + (statSync(this.#file + suffix, { throwIfNoEntry: false })?.size ?? 0), 0);
  }

  #prepare<R>(sql: string, isRaw = false): Statement<unknown[], R> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      if (isRaw) statement.raw();
      this.#statements.set(sql, statement);
    }
    return statement as Statement<unknown[], R>;
  }
}

/** In order, a gap at its last seq. Behind the last row a gap counts only if no row is left out between them. */
function merge(rows: readonly Row[], gaps: readonly Gap[], fromEnd: boolean, isWhole: boolean): (Row | Gap)[] {
  const items: (Row | Gap)[] = [];
  let next = 0;
  for (const row of rows) {
    const seq = seqOf(row[0]);
    for (let gap = gaps[next]; gap !== undefined && (fromEnd ? gap.toSeq > seq : gap.toSeq < seq); gap = gaps[next]) {
      items.push(gap);
      next++;
    }
    items.push(row);
  }
  return isWhole ? [...items, ...gaps.slice(next)] : items;
}

function pack(items: readonly (Row | Gap)[]): EventPage {
  const payloads = items.map((item) => ('length' in item ? item[6] : payloadOf(item)));
  const page = new EventPageWriter(payloads);
  for (const [index, item] of items.entries()) {
    const payload = payloads[index];
    if (payload === undefined) continue;
    if ('length' in item) page.add(seqOf(item[0]), item[1], item[2], item[3], item[4], item[5] === 1, payload);
    else page.add(item.toSeq, item.epoch, item.ts, 'system:status', 'gap', true, payload);
  }
  return page.finish();
}

function payloadOf({ fromSeq, toSeq, bytes, reason }: Gap): Buffer {
  return Buffer.from(JSON.stringify({ fromSeq, toSeq, bytes, reason }), 'utf8');
}

function parseJson(text: string): Json {
  return JSON.parse(text) as Json;
}
