import { statSync } from 'node:fs';
import type { Database, Statement } from 'better-sqlite3';
import type { Json } from '../../src-shared/events.ts';
import type { RunId, Seq } from '../../src-shared/ids.ts';
import type { Screen } from '../../src-shared/operations.ts';
import type { EventRow } from './event-page.ts';
import { EventRead } from './event-read.ts';
import { gapsBetween, missingPart } from './gaps.ts';
import type { EventPage, ReadQuery } from './messages.ts';
import { indexPath } from './search-index.ts';
import type { DocumentRow, InputRecord, OutboxRow, SessionRow } from './store.ts';

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
      replica_json: string | null;
    }>(
      `SELECT s.run_id, s.kind, s.status, s.epoch, s.created_ts, s.meta_json, h.last_seq, h.last_ts, r.replica_json
       FROM sessions s JOIN heads h ON h.key = s.key LEFT JOIN replicas r ON r.key = s.key WHERE s.deleted = 0 ORDER BY s.key`,
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
      replica: row.replica_json === null ? null : parseJson(row.replica_json),
    }));
  }

  input({ key, inputId }: { key: number; inputId: string }): InputRecord | null {
    const row = this.#prepare<{ content_hash: string; answer_json: string }>(
      'SELECT content_hash, answer_json FROM inputs WHERE key = ? AND input_id = ?',
    ).get(key, inputId);
    return row ? { inputId, contentHash: row.content_hash, answer: parseJson(row.answer_json) } : null;
  }

  missing({ key }: { key: number }): { fromSeq: Seq; toSeq: Seq } | null {
    const gap = missingPart(this.#db, key);
    return gap && { fromSeq: gap.fromSeq as Seq, toSeq: gap.toSeq as Seq };
  }

  /** One consistent state, or a run that is being compacted could be missing with its gap not yet there. */
  read(query: ReadQuery): EventPage[] {
    const { key, after, upTo, channels } = query;
    const showsGaps = channels === null || channels.includes('pty:stdout') || channels.includes('system:status');
    const read = this.#db.transaction(() => {
      const gaps = showsGaps ? gapsBetween(this.#db, key, after, upTo) : [];
      return new EventRead(this.#rowStatement(channels, query.fromEnd), query, gaps).run();
    });
    return read();
  }

  #rowStatement(channels: ReadQuery['channels'], fromEnd: boolean): Statement<unknown[], EventRow> {
    const isBesideOutput = channels !== null && !channels.includes('pty:stdout');
    const sql = `SELECT id, epoch, ts, channel, type, typeof(payload) = 'text', CAST(payload AS BLOB)
      FROM events ${isBesideOutput ? 'INDEXED BY events_beside_output' : ''}
      WHERE id BETWEEN ? AND ?
      ${isBesideOutput ? "AND channel <> 'pty:stdout'" : ''}
      ${channels === null ? '' : 'AND channel IN (SELECT value FROM json_each(?))'}
      ORDER BY id ${fromEnd ? 'DESC' : ''} LIMIT ?`;
    return this.#prepare<EventRow>(sql, true);
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

  oldDrafts(): { runId: RunId; text: string }[] {
    return this.#prepare<{ runId: RunId; text: string }>(
      'SELECT s.run_id AS runId, d.text FROM drafts d JOIN sessions s ON s.key = d.key',
    ).all();
  }

  documents(): DocumentRow[] {
    return this.#prepare<{ name: string; unsent: number; sync_json: string }>('SELECT name, unsent, sync_json FROM documents')
      .all()
      .map(({ name, unsent, sync_json }) => ({ name, unsent: unsent === 1, sync: parseJson(sync_json) }));
  }

  document({ name }: { name: string }): Uint8Array[] {
    return this.#prepare<{ bytes: Buffer }>(
      'SELECT u.bytes FROM document_updates u JOIN documents d ON d.key = u.key WHERE d.name = ? ORDER BY u.id',
    )
      .all(name)
      .map(({ bytes }) => bytes);
  }

  outbox(): OutboxRow[] {
    return this.#prepare<Omit<OutboxRow, 'command'> & { command_json: string }>(
      `SELECT input_id AS inputId, run_id AS runId, machine_id AS machineId, client_id AS clientId, since_ts AS sinceMs,
         command_json FROM outbox ORDER BY id`,
    )
      .all()
      .map(({ command_json, ...row }) => ({ ...row, command: parseJson(command_json) }));
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
    const index = indexPath(this.#file);
    const files = [this.#file, `${this.#file}-wal`, index, `${index}-wal`];
    return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
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

function parseJson(text: string): Json {
  return JSON.parse(text) as Json;
}
