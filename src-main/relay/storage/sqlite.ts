import { randomBytes } from 'node:crypto';
import type { Database, Statement } from 'better-sqlite3';
import { MachineId } from '../../../src-shared/ids.ts';
import { type StreamState, writerOf } from '../../../src-shared/receive-batch.ts';
import { openForWriting } from '../../store/database.ts';
import { migrate } from '../../store/migrations.ts';
import { explainSqlite } from '../../store/store-error.ts';
import type { Append, RelayStorage, StoredBatch, StoredStream } from './storage.ts';

/** A step that has shipped is never changed. Names of workspaces and streams are hex, as they are everywhere else. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
  CREATE TABLE workspaces (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE TABLE chain (
    workspace INTEGER NOT NULL, height INTEGER NOT NULL, entry BLOB NOT NULL,
    PRIMARY KEY (workspace, height)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE machines (
    workspace INTEGER NOT NULL, machine TEXT NOT NULL, seen_ms INTEGER NOT NULL,
    PRIMARY KEY (workspace, machine)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE streams (
    key INTEGER PRIMARY KEY,
    workspace INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    holder TEXT,
    last_seq INTEGER NOT NULL,
    last_position INTEGER NOT NULL,
    UNIQUE (workspace, name)
  ) STRICT;
  CREATE TABLE writers (
    stream INTEGER NOT NULL, writer TEXT NOT NULL, counter INTEGER NOT NULL, hash TEXT NOT NULL,
    PRIMARY KEY (stream, writer)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE batches (
    id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, position INTEGER NOT NULL, frame BLOB NOT NULL,
    UNIQUE (stream, position)
  ) STRICT;
  `,
];

interface StreamRow {
  readonly key: number;
  readonly kind: StoredStream['kind'];
  readonly epoch: number;
  readonly holder: string | null;
  readonly last_seq: number;
  readonly last_position: number;
}

/** Opens the file, makes it where there is none. Throws, with words for people, where it cannot be used. */
export function openSqliteStorage(file: string): RelayStorage {
  let db: Database | null = null;
  try {
    db = openForWriting(file);
    // Two relays on one file would each believe in a state of its own.
    db.pragma('locking_mode = EXCLUSIVE');
    const found: unknown = db.pragma('quick_check(1)', { simple: true });
    if (found !== 'ok')
      throw new Error(`Cannot use ${file}: it is damaged (${String(found)}). Move it away; the machines send again.`);
    migrate(db, file, MIGRATIONS);
    // What is acknowledged is on the disk.
    db.pragma('synchronous = FULL');
    return new SqliteStorage(db);
  } catch (error) {
    db?.close();
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') {
      throw new Error(
        `Cannot open ${file}: another relay is using it. Stop that one, or give this one another folder with --data.`,
      );
    }
    throw explainSqlite(error, 'open the relay’s state', file);
  }
}

class SqliteStorage implements RelayStorage {
  readonly relaySeed: Uint8Array;
  readonly incarnation: string;
  readonly #db: Database;
  /** Every statement once. */
  readonly #statements = new Map<string, Statement<unknown[]>>();
  readonly #workspaceKeys = new Map<string, number>();

  constructor(db: Database) {
    this.#db = db;
    this.relaySeed = this.#fact('relaySeed', () => randomBytes(32));
    this.incarnation = this.#fact('incarnation', () => randomBytes(16)).toString('hex');
  }

  #fact(name: string, make: () => Buffer): Buffer {
    this.#run('INSERT INTO facts VALUES (?, ?) ON CONFLICT DO NOTHING', name, make());
    const row = this.#get<{ value: Buffer }>('SELECT value FROM facts WHERE name = ?', name);
    if (row === undefined) throw new Error(`the fact ${name} was not kept`);
    return row.value;
  }

  workspaces(): readonly string[] {
    return this.#all<{ id: string }>('SELECT id FROM workspaces ORDER BY key').map(({ id }) => id);
  }

  chain(workspace: string): readonly Uint8Array[] {
    const key = this.#workspaceKey(workspace);
    if (key === null) return [];
    const rows = this.#all<{ entry: Buffer }>('SELECT entry FROM chain WHERE workspace = ? ORDER BY height', key);
    return rows.map(({ entry }) => entry);
  }

  addEntries(workspace: string, height: number, entries: readonly Uint8Array[]): void {
    this.#transaction(() => {
      this.#run('INSERT INTO workspaces (id) VALUES (?) ON CONFLICT DO NOTHING', workspace);
      const key = this.#workspaceKey(workspace);
      for (const [index, entry] of entries.entries()) this.#run('INSERT INTO chain VALUES (?, ?, ?)', key, height + index, entry);
    });
  }

  usedBytes(workspace: string): number {
    return this.#get<{ bytes: number }>('SELECT bytes FROM workspaces WHERE id = ?', workspace)?.bytes ?? 0;
  }

  stream(workspace: string, stream: string): StoredStream | null {
    const row = this.#streamRow(workspace, stream);
    if (row === undefined) return null;
    const writers = this.#all<{ writer: string; counter: number; hash: string }>(
      'SELECT writer, counter, hash FROM writers WHERE stream = ?',
      row.key,
    );
    const state: StreamState = {
      epoch: row.epoch,
      holder: row.holder === null ? null : MachineId.parse(row.holder),
      lastSeq: row.last_seq,
      writers: new Map(writers.map(({ writer, counter, hash }) => [writer, { counter, hash }])),
    };
    return { kind: row.kind, lastPosition: row.last_position, state };
  }

  append(batches: readonly Append[]): void {
    this.#transaction(() => {
      for (const batch of batches) this.#appendOne(batch);
    });
  }

  #appendOne({ workspace, batch, position, replacesUpTo, after }: Append): void {
    const { header, frame, hash } = batch;
    const workspaceKey = this.#workspaceKey(workspace);
    const { epoch, holder, lastSeq } = after.state;
    this.#run(
      `INSERT INTO streams (workspace, name, kind, epoch, holder, last_seq, last_position) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (workspace, name) DO UPDATE SET
         epoch = excluded.epoch, holder = excluded.holder, last_seq = excluded.last_seq, last_position = excluded.last_position`,
      ...[workspaceKey, header.stream, after.kind, epoch, holder, lastSeq, after.lastPosition],
    );
    const key = this.#streamRow(workspace, header.stream)?.key;
    let bytes = frame.byteLength;
    if (replacesUpTo > 0) {
      const gone = 'FROM batches WHERE stream = ? AND position <= ?';
      bytes -= this.#get<{ bytes: number }>(`SELECT total(length(frame)) AS bytes ${gone}`, key, replacesUpTo)?.bytes ?? 0;
      this.#run(`DELETE ${gone}`, key, replacesUpTo);
    }
    this.#run('INSERT INTO batches (stream, position, frame) VALUES (?, ?, ?)', key, position, frame);
    this.#run(
      'INSERT INTO writers VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET counter = excluded.counter, hash = excluded.hash',
      ...[key, writerOf(header), header.counter, hash],
    );
    this.#run('UPDATE workspaces SET bytes = bytes + ? WHERE key = ?', Math.round(bytes), workspaceKey);
  }

  remove(workspace: string, streams: readonly string[]): void {
    const workspaceKey = this.#workspaceKey(workspace);
    this.#transaction(() => {
      for (const name of streams) {
        this.#run(
          `INSERT INTO streams (workspace, name, kind, epoch, holder, last_seq, last_position) VALUES (?, ?, 'removed', 0, NULL, 0, 0)
           ON CONFLICT (workspace, name) DO UPDATE SET kind = 'removed', epoch = 0, holder = NULL, last_seq = 0, last_position = 0`,
          ...[workspaceKey, name],
        );
        const key = this.#streamRow(workspace, name)?.key;
        const gone = this.#get<{ bytes: number }>('SELECT total(length(frame)) AS bytes FROM batches WHERE stream = ?', key);
        this.#run('DELETE FROM batches WHERE stream = ?', key);
        this.#run('DELETE FROM writers WHERE stream = ?', key);
        this.#run('UPDATE workspaces SET bytes = bytes - ? WHERE key = ?', Math.round(gone?.bytes ?? 0), workspaceKey);
      }
    });
  }

  setHolder(workspace: string, stream: string, epoch: number, holder: MachineId): void {
    const key = this.#workspaceKey(workspace);
    this.#run('UPDATE streams SET epoch = ?, holder = ? WHERE workspace = ? AND name = ?', epoch, holder, key, stream);
  }

  read(workspace: string, stream: string, after: number, maxBytes: number): readonly StoredBatch[] {
    const key = this.#streamRow(workspace, stream)?.key;
    if (key === undefined) return [];
    const rows = this.#statement('SELECT position, frame FROM batches WHERE stream = ? AND position > ? ORDER BY position');
    const page: StoredBatch[] = [];
    let bytes = 0;
    for (const row of rows.iterate(key, after)) {
      const batch = row as StoredBatch;
      if (page.length > 0 && bytes + batch.frame.byteLength > maxBytes) break;
      page.push(batch);
      bytes += batch.frame.byteLength;
    }
    return page;
  }

  seen(workspace: string): ReadonlyMap<MachineId, number> {
    const key = this.#workspaceKey(workspace);
    const rows = this.#all<{ machine: string; seen_ms: number }>(
      'SELECT machine, seen_ms FROM machines WHERE workspace = ?',
      key,
    );
    return new Map(rows.map(({ machine, seen_ms }) => [MachineId.parse(machine), seen_ms]));
  }

  setSeen(workspace: string, machine: MachineId, atMs: number): void {
    const key = this.#workspaceKey(workspace);
    // Nobody acts on it: it is on the disk with the next batch. A crowd that comes back does not hold the others up.
    this.#db.pragma('synchronous = NORMAL');
    try {
      this.#run('INSERT INTO machines VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET seen_ms = excluded.seen_ms', key, machine, atMs);
    } finally {
      this.#db.pragma('synchronous = FULL');
    }
  }

  close(): void {
    this.#db.close();
  }

  #workspaceKey(workspace: string): number | null {
    const known = this.#workspaceKeys.get(workspace);
    if (known !== undefined) return known;
    const key = this.#get<{ key: number }>('SELECT key FROM workspaces WHERE id = ?', workspace)?.key;
    if (key === undefined) return null;
    // Inside a transaction that fails the row would go again.
    if (!this.#db.inTransaction) this.#workspaceKeys.set(workspace, key);
    return key;
  }

  #streamRow(workspace: string, stream: string): StreamRow | undefined {
    return this.#get<StreamRow>('SELECT * FROM streams WHERE workspace = ? AND name = ?', this.#workspaceKey(workspace), stream);
  }

  #transaction(change: () => void): void {
    this.#db.transaction(change).immediate();
  }

  #statement(sql: string): Statement<unknown[]> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const made = this.#db.prepare(sql);
    this.#statements.set(sql, made);
    return made;
  }

  #run(sql: string, ...values: unknown[]): void {
    this.#statement(sql).run(...values);
  }

  /** The tables are STRICT and ours: a row is what the statement says. */
  #get<T>(sql: string, ...values: unknown[]): T | undefined {
    return this.#statement(sql).get(...values) as T | undefined;
  }

  #all<T>(sql: string, ...values: unknown[]): T[] {
    return this.#statement(sql).all(...values) as T[];
  }
}
