import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { StoreError } from './store-error.ts';

/** Older ones can corrupt a WAL file when two connections write and checkpoint at the same moment. */
const MIN_SQLITE: readonly [number, number, number] = [3, 51, 3];
/** The oldest Node-API that the shipped binary of better-sqlite3 works with; on an older one it crashes the process. */
const PREBUILT_NODE_API = 10;
/** Larger pages make large rows cheaper, and small commits dearer: about what a screenful of output is. */
const PAGE_BYTES = 8192;
/** Memory for pages, per connection. */
const CACHE_KIB = 4096;
/** The WAL is checkpointed by the writer; this is what bounds it if it could not. */
const AUTO_CHECKPOINT_PAGES = (64 * 1024 * 1024) / PAGE_BYTES;
const WAL_KEPT_BYTES = 64 * 1024 * 1024;

/** Says in a sentence what would otherwise be a crash. */
export function assertNativeModuleFits(): void {
  if (Number(process.versions.napi) >= PREBUILT_NODE_API) return;
  const folder = dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json'));
  if (existsSync(join(folder, 'build', 'Release', 'better_sqlite3.node'))) return;
  throw new StoreError(
    'unsupported',
    `Cannot open the log: better-sqlite3 is not built for this runtime (Node-API ${process.versions.napi}, the shipped binary needs ` +
      `${PREBUILT_NODE_API}). Run: npm run setup`,
  );
}

/** The one connection that writes. Makes file and folder, for this user alone. Throws SQLite's error on a damaged file. */
export function openForWriting(file: string): Database {
  assertNativeModuleFits();
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // SQLite gives the files beside it the same mode.
  closeSync(openSync(file, 'a', 0o600));
  const db = new SqliteDatabase(file);
  try {
    configureWriter(db, file);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function configureWriter(db: Database, file: string): void {
  assertSqliteVersion(db);
  // Both count only while the file is empty.
  db.pragma(`page_size = ${PAGE_BYTES}`);
  db.pragma('auto_vacuum = INCREMENTAL');
  const mode = db.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal') {
    throw new StoreError(
      'unsupported',
      `Cannot open ${file}: its file system has no shared memory for SQLite's write-ahead log (mode ${String(mode)}). Set BATON_HOME to a folder on a local disk.`,
    );
  }
  db.pragma(`wal_autocheckpoint = ${AUTO_CHECKPOINT_PAGES}`);
  db.pragma(`journal_size_limit = ${WAL_KEPT_BYTES}`);
  db.pragma(`cache_size = -${CACHE_KIB}`);
  // macOS: fsync alone leaves the bytes in the drive's own memory.
  db.pragma('fullfsync = 1');
  db.pragma('checkpoint_fullfsync = 1');
}

function assertSqliteVersion(db: Database): void {
  const version = db.prepare<[], { version: string }>('SELECT sqlite_version() AS version').get()?.version ?? '0';
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const [minMajor, minMinor, minPatch] = MIN_SQLITE;
  const isOldEnough = major > minMajor || (major === minMajor && (minor > minMinor || (minor === minMinor && patch >= minPatch)));
  if (isOldEnough) return;
  throw new StoreError(
    'unsupported',
    `Cannot open the log: SQLite ${version} can corrupt it; ${MIN_SQLITE.join('.')} or newer is needed. Run: npm run setup`,
  );
}

/** A connection that only reads. */
export function openForReading(file: string): Database {
  const db = new SqliteDatabase(file, { readonly: true, fileMustExist: true });
  db.pragma(`cache_size = -${CACHE_KIB}`);
  return db;
}
