import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { openForReading, openForWriting } from './database.ts';
import type { Recovered } from './messages.ts';
import { migrate } from './migrations.ts';
import { rescue } from './rescue.ts';
import { isDamage } from './store-error.ts';

/** Its presence says that the file is damaged; its text is where the file is (or was to be) put. */
const markerOf = (file: string) => `${file}.damaged`;

/**
 * Remembers the damage for the next start: a file that is in use cannot be put aside, and half of it may still be readable. If not
 * even this can be written (a full disk), the damage will be met again.
 */
export function markDamaged(file: string): void {
  if (existsSync(markerOf(file))) return;
  try {
    writeFileSync(markerOf(file), asideName(file), { mode: 0o600 });
  } catch {
    rmSync(markerOf(file), { force: true });
  }
}

/** Where the damaged file goes or went; null if it is not known to be damaged, or somebody took it away. */
function markedAside(file: string): string | null {
  if (!existsSync(markerOf(file))) return null;
  const asidePath = readFileSync(markerOf(file), 'utf8');
  if (existsSync(file) || existsSync(asidePath)) return asidePath;
  rmSync(markerOf(file));
  return null;
}

export interface Opened {
  readonly db: Database;
  readonly recovered: Recovered | null;
  /** The last process did not close the file: its WAL is still there. */
  readonly wasUnclean: boolean;
}

/** Opens the log for writing, at the newest schema. A damaged one is set aside, and what it still holds is copied into a new one. */
export function openLog(file: string): Opened {
  const marked = markedAside(file);
  if (marked !== null) return reopenFrom(file, marked, 'damaged pages were found in it');
  const wasUnclean = (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
  try {
    return { db: openMigrated(file), recovered: null, wasUnclean };
  } catch (error) {
    if (!isDamage(error)) throw error;
    markDamaged(file);
    const asidePath = markedAside(file);
    if (asidePath === null) throw error;
    return reopenFrom(file, asidePath, error instanceof Error ? error.message : String(error));
  }
}

function openMigrated(file: string): Database {
  const db = openForWriting(file);
  try {
    migrate(db, file);
    // What every start reads: damage there is found now, not at the first append.
    db.prepare('SELECT count(*) FROM sessions s JOIN heads h ON h.key = s.key').get();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Every step can be repeated: a crash on the way starts over from the file that was put aside. */
function reopenFrom(file: string, asidePath: string, why: string): Opened {
  if (existsSync(file) && !existsSync(asidePath)) putAside(file, asidePath);
  const rescuePath = `${file}.rescue`;
  removeDatabase(rescuePath);
  const rescued = copyReadable(asidePath, rescuePath);
  removeDatabase(file);
  renameSync(rescuePath, file);
  rmSync(markerOf(file));
  const message =
    `The log ${file} was damaged (${why}). It was put aside as ${asidePath}; ` +
    `${rescued.events} events of ${rescued.sessions} sessions could be read and were kept.`;
  return {
    db: openMigrated(file),
    recovered: { asidePath, rescuedSessions: rescued.sessions, rescuedEvents: rescued.events, message },
    wasUnclean: false,
  };
}

function copyReadable(from: string, to: string): { readonly sessions: number; readonly events: number } {
  const target = openMigrated(to);
  try {
    const source = openForReading(from);
    try {
      return rescue(source, target);
    } finally {
      source.close();
    }
  } catch (error) {
    // Not even its list of sessions can be read.
    if (!isDamage(error)) throw error;
    return { sessions: 0, events: 0 };
  } finally {
    target.close();
  }
}

function putAside(file: string, asidePath: string): void {
  if (existsSync(`${file}-wal`)) renameSync(`${file}-wal`, `${asidePath}-wal`);
  renameSync(file, asidePath);
  rmSync(`${file}-shm`, { force: true });
}

function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
}

function asideName(file: string): string {
  return `${file}.damaged-${new Date().toISOString().replace(/[:.]/g, '-')}`;
}
