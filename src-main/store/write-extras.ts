import type { Database, Statement } from 'better-sqlite3';
import type { Json } from '../../src-shared/events.ts';
import { addGap, type Gap } from './gaps.ts';
import type { Heads } from './heads.ts';
import type { SessionChange, WriteExtra } from './messages.ts';
import type { DocumentChange, InputRecord, NewSessionRow } from './store.ts';
import { StoreError } from './store-error.ts';

/** Everything that is written beside events: rare, so each runs in a savepoint of its own. */
export class WriteExtras {
  readonly #savepoint: Statement;
  readonly #release: Statement;
  readonly #undo: Statement;
  readonly #db: Database;
  readonly #statements = new Map<string, Statement>();

  constructor(db: Database) {
    this.#db = db;
    this.#savepoint = db.prepare('SAVEPOINT operation');
    this.#release = db.prepare('RELEASE operation');
    this.#undo = db.prepare('ROLLBACK TO operation');
  }

  /** `work` as a whole or not at all; `undo` restores what is not in the database. */
  inSavepoint(work: () => void, undo: () => void): void {
    this.#savepoint.run();
    try {
      work();
    } catch (error) {
      undo();
      // Otherwise the whole transaction is gone, savepoint and all.
      if (this.#db.inTransaction) {
        this.#undo.run();
        this.#release.run();
      }
      throw error;
    }
    this.#release.run();
  }

  run(extra: Exclude<WriteExtra, { op: 'fill' }>, heads: Heads): void {
    switch (extra.op) {
      case 'create':
        this.#create(extra.key, extra.row, heads);
        if (extra.missing) this.#beginBehind(extra.key, extra.missing, heads);
        if (extra.input) this.#input(extra.key, extra.input);
        return;
      case 'annotate':
        this.#requireSession(extra.key, heads);
        if (extra.input) this.#input(extra.key, extra.input);
        if (extra.meta) this.#change(extra.key, extra.meta);
        if (extra.replica) this.#replica(extra.key, extra.replica.state);
        return;
      case 'delete':
        this.#requireSession(extra.key, heads);
        this.#delete(extra.key, heads);
        return;
      case 'screen': {
        this.#requireSession(extra.key, heads);
        const { seq, cols, rows, data } = extra.screen;
        this.#run(
          'INSERT OR REPLACE INTO screens (key, seq, cols, rows, data) VALUES (?, ?, ?, ?, ?)',
          extra.key,
          seq,
          cols,
          rows,
          data,
        );
        return;
      }
      case 'layout':
        this.#run(
          'INSERT OR REPLACE INTO workspace_layout (client_id, layout_json, updated_ts) VALUES (?, ?, ?)',
          extra.clientId,
          JSON.stringify(extra.layout),
          extra.ts,
        );
        return;
      case 'old-draft-gone':
        this.#run('DELETE FROM drafts WHERE key = ?', extra.key);
        return;
      case 'document':
        this.#document(extra.name, extra.change);
        return;
      case 'document-gone':
        this.#run('DELETE FROM document_updates WHERE key = (SELECT key FROM documents WHERE name = ?)', extra.name);
        this.#run('DELETE FROM documents WHERE name = ?', extra.name);
        return;
      case 'outbox': {
        const { inputId, runId, machineId, clientId, sinceMs, command } = extra.row;
        this.#run(
          `INSERT INTO outbox (input_id, run_id, machine_id, client_id, since_ts, command_json) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (input_id) DO NOTHING`,
          inputId,
          runId,
          machineId,
          clientId,
          sinceMs,
          JSON.stringify(command),
        );
        return;
      }
      case 'outbox-gone':
        this.#run('DELETE FROM outbox WHERE input_id = ?', extra.inputId);
        return;
      case 'fact':
        this.#run('INSERT OR REPLACE INTO facts (name, value_json) VALUES (?, ?)', extra.name, JSON.stringify(extra.value));
        return;
      case 'sync':
        // Whatever it writes: a transaction that changed nothing would not be fsynced.
        this.#run(`INSERT INTO facts (name, value_json) VALUES ('syncs', '1')
          ON CONFLICT (name) DO UPDATE SET value_json = CAST(value_json AS INTEGER) + 1`);
        return;
      case 'child':
        this.#requireSession(extra.key, heads);
        this.#run(
          'INSERT OR REPLACE INTO children (key, pid, start_time) VALUES (?, ?, ?)',
          extra.key,
          extra.pid,
          extra.startTime,
        );
        return;
      case 'child-gone':
        this.#run('DELETE FROM children WHERE key = ? AND pid = ?', extra.key, extra.pid);
        return;
    }
  }

  #create(key: number, row: NewSessionRow, heads: Heads): void {
    const inserted = this.#run(
      `INSERT INTO sessions (key, run_id, kind, status, epoch, created_ts, meta_json) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (run_id) DO NOTHING`,
      key,
      row.runId,
      row.kind,
      row.status,
      row.epoch,
      row.createdTs,
      JSON.stringify(row.meta),
    );
    if (inserted === 0) throw new StoreError('session-exists', `Cannot create session ${row.runId}: there is one with this id.`);
    if (row.replica !== undefined && row.replica !== null) this.#replica(key, row.replica);
    heads.create(key, row.epoch, row.createdTs);
  }

  #beginBehind(key: number, missing: Gap, heads: Heads): void {
    const { toSeq: lastSeq, ts: lastTs, epoch, hash } = missing;
    if (hash === null) throw new StoreError('not-continuing', 'Cannot begin a log behind an event whose hash is not known.');
    addGap(this.#db, key, missing);
    heads.set(key, { lastSeq, lastTs, epoch, hash, outputBytes: 0 });
  }

  #replica(key: number, state: Json): void {
    this.#run('INSERT OR REPLACE INTO replicas (key, replica_json) VALUES (?, ?)', key, JSON.stringify(state));
  }

  #input(key: number, input: InputRecord): void {
    const inserted = this.#run(
      'INSERT INTO inputs (key, input_id, content_hash, answer_json) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      key,
      input.inputId,
      input.contentHash,
      JSON.stringify(input.answer),
    );
    if (inserted === 0) throw new StoreError('input-exists', `Cannot record input ${input.inputId}: it was answered already.`);
  }

  #change(key: number, change: SessionChange): void {
    this.#run('UPDATE sessions SET status = ?, meta_json = ? WHERE key = ?', change.status, JSON.stringify(change.meta), key);
  }

  #document(name: string, { update, replaces, unsent, sync }: DocumentChange): void {
    this.#run('INSERT INTO documents (name) VALUES (?) ON CONFLICT DO NOTHING', name);
    if (unsent !== undefined) this.#run('UPDATE documents SET unsent = ? WHERE name = ?', Number(unsent), name);
    if (sync !== undefined) this.#run('UPDATE documents SET sync_json = ? WHERE name = ?', JSON.stringify(sync), name);
    if (update === undefined) return;
    const key = '(SELECT key FROM documents WHERE name = ?)';
    if (replaces === true) this.#run(`DELETE FROM document_updates WHERE key = ${key}`, name);
    this.#run(`INSERT INTO document_updates (key, bytes) VALUES (${key}, ?)`, name, update);
  }

  /** The session is gone at once; its events are removed piece by piece afterwards (see trim.ts). */
  #delete(key: number, heads: Heads): void {
    this.#run(`UPDATE sessions SET deleted = 1, meta_json = 'null' WHERE key = ?`, key);
    for (const table of ['inputs', 'drafts', 'children', 'screens', 'heads', 'replicas'])
      this.#run(`DELETE FROM ${table} WHERE key = ?`, key);
    heads.remove(key);
  }

  #requireSession(key: number, heads: Heads): void {
    if (!heads.get(key)) throw new StoreError('unknown-session', 'Cannot write: the session does not exist or was deleted.');
  }

  #run(sql: string, ...values: (string | number | Uint8Array)[]): number {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement.run(...values).changes;
  }
}
