import { existsSync, rmSync, writeFileSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { SEQ_SPAN } from './row-id.ts';
import { explainSqlite, StoreError } from './store-error.ts';

/**
 * The schema, as the steps that lead to it: step n brings a file of `user_version` n-1 to n. A step that has shipped is never
 * changed. What may be large comes last in its row: it spills into further pages, which nobody has to read who wants only what stands
 * before it. `payload` is TEXT for JSON, BLOB for bytes.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE sessions (
    key INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    created_ts INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    meta_json TEXT NOT NULL
  ) STRICT;

  -- Apart from sessions: written with every commit, while meta_json may be large.
  CREATE TABLE heads (
    key INTEGER PRIMARY KEY,
    last_seq INTEGER NOT NULL,
    last_ts INTEGER NOT NULL,
    hash BLOB NOT NULL,
    output_bytes INTEGER NOT NULL
  ) STRICT;

  -- id = key * ${SEQ_SPAN} + seq
  CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    ts INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    channel TEXT NOT NULL,
    type TEXT NOT NULL,
    hash BLOB NOT NULL,
    payload ANY NOT NULL
  ) STRICT;

  -- The few events among a terminal's output.
  CREATE INDEX events_beside_output ON events (id) WHERE channel <> 'pty:stdout';

  -- Runs of events that are no longer there. id: as in events, of the first. hash: of the last, NULL where it is not known.
  CREATE TABLE gaps (
    id INTEGER PRIMARY KEY,
    to_seq INTEGER NOT NULL,
    ts INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    reason TEXT NOT NULL,
    hash BLOB
  ) STRICT;

  CREATE TABLE screens (
    key INTEGER NOT NULL REFERENCES sessions (key),
    seq INTEGER NOT NULL,
    cols INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (key, seq)
  ) STRICT;

  CREATE TABLE inputs (
    key INTEGER NOT NULL REFERENCES sessions (key),
    input_id TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    answer_json TEXT NOT NULL,
    PRIMARY KEY (key, input_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE drafts (key INTEGER PRIMARY KEY REFERENCES sessions (key), text TEXT NOT NULL) STRICT;

  CREATE TABLE children (
    key INTEGER NOT NULL REFERENCES sessions (key),
    pid INTEGER NOT NULL,
    start_time TEXT NOT NULL,
    PRIMARY KEY (key, pid)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE workspace_layout (
    client_id TEXT PRIMARY KEY,
    layout_json TEXT NOT NULL,
    updated_ts INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE facts (name TEXT PRIMARY KEY, value_json TEXT NOT NULL) STRICT;
  -- By this the search index knows which log it belongs to.
  INSERT INTO facts (name, value_json) VALUES ('logId', '"' || lower(hex(randomblob(16))) || '"');

  -- For people and other programs: a session's log by its run_id.
  CREATE VIEW session_events AS
    SELECT s.run_id, e.id % ${SEQ_SPAN} AS seq, e.channel, e.type, e.payload, e.ts, e.epoch, e.hash
    FROM sessions s CROSS JOIN events e ON e.id > s.key * ${SEQ_SPAN} AND e.id < (s.key + 1) * ${SEQ_SPAN}
    WHERE s.deleted = 0;
  `,
  `
  -- sync_json: where the document stands with the relay.
  CREATE TABLE documents (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    unsent INTEGER NOT NULL DEFAULT 0,
    sync_json TEXT NOT NULL DEFAULT 'null'
  ) STRICT;

  -- In the order of their ids one lies on the other.
  CREATE TABLE document_updates (
    id INTEGER PRIMARY KEY,
    key INTEGER NOT NULL REFERENCES documents (key),
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE INDEX document_updates_by_key ON document_updates (key, id);
  `,
  `
  -- Commands for sessions of other machines, until those have answered; in the order of their ids.
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    input_id TEXT NOT NULL UNIQUE,
    run_id TEXT NOT NULL,
    machine_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    since_ts INTEGER NOT NULL,
    command_json TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- Sessions that another machine hosts: which, and how far its log has been followed. Those that are not here are this machine's own.
  CREATE TABLE replicas (key INTEGER PRIMARY KEY REFERENCES sessions (key), replica_json TEXT NOT NULL) STRICT;
  `,
];

/**
 * Brings the file to the newest schema. An existing older one is copied aside first, beside the file; a newer one is refused.
 * Returns the copy's path, null where none was needed.
 */
export function migrate(db: Database, file: string, migrations: readonly string[] = MIGRATIONS): string | null {
  const from = Number(db.pragma('user_version', { simple: true }));
  if (from > migrations.length) {
    throw new StoreError(
      'newer-schema',
      `Cannot open ${file}: it was written by a newer Baton (format ${from}, this one knows ${migrations.length}). ` +
        'Use that version, or set BATON_HOME to another folder.',
    );
  }
  if (from === migrations.length) return null;
  const backup = from === 0 ? null : backUp(db, file, from);
  for (const [index, statements] of migrations.entries()) {
    if (index < from) continue;
    db.transaction(() => {
      db.exec(statements);
      db.pragma(`user_version = ${index + 1}`);
    }).exclusive();
  }
  return backup;
}

/** VACUUM INTO reads one consistent state, what still lies in the WAL included. */
function backUp(db: Database, file: string, version: number): string {
  let path = `${file}.format-${version}`;
  for (let copy = 2; existsSync(path); copy++) path = `${file}.format-${version}-${copy}`;
  writeFileSync(path, '', { mode: 0o600 });
  try {
    db.prepare('VACUUM INTO ?').run(path);
  } catch (error) {
    rmSync(path);
    throw explainSqlite(error, `copy the log to ${path} before its format is changed`, file);
  }
  return path;
}
