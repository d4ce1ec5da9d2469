/** What the store cannot do, for callers that act on it; the message is for people. */
export type StoreErrorCode =
  | 'unknown-session'
  | 'session-exists'
  /** The events do not continue the session's log: a gap, a repetition or a lower epoch. */
  | 'not-continuing'
  /** Two histories: the events do not have the hash that they should. */
  | 'forked'
  | 'input-exists'
  /** A search cursor that this store did not give. */
  | 'bad-cursor'
  /** Not JSON, or too large to be stored. */
  | 'bad-payload'
  /** More is waiting to be written than the store keeps in memory. */
  | 'overloaded'
  | 'disk-full'
  | 'damaged'
  | 'newer-schema'
  /** This runtime or this file system cannot hold the log. */
  | 'unsupported'
  | 'closed'
  | 'failed';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** A StoreError as it crosses between threads. */
export interface StoreFailure {
  readonly code: StoreErrorCode;
  readonly message: string;
}

export function failureOf(error: unknown): StoreFailure {
  if (error instanceof StoreError) return { code: error.code, message: error.message };
  return { code: 'failed', message: error instanceof Error ? error.message : String(error) };
}

export function errorOf(failure: StoreFailure): StoreError {
  return new StoreError(failure.code, failure.message);
}

/** Says an error of SQLite in the user's words; anything else passes unchanged. `doing` completes "Cannot …". */
export function explainSqlite(error: unknown, doing: string, file: string): unknown {
  const code = sqliteCode(error);
  if (code === null || !(error instanceof Error)) return error;
  if (code === 'SQLITE_FULL') {
    return new StoreError('disk-full', `Cannot ${doing}: the disk that holds ${file} is full. Free some space and try again.`);
  }
  if (isDamage(error)) {
    return new StoreError(
      'damaged',
      `Cannot ${doing}: ${file} is damaged (${error.message}). Start Baton again: it sets the file aside and rescues what can be read.`,
    );
  }
  return new StoreError('failed', `Cannot ${doing}: ${error.message} (${code}, ${file}).`);
}

export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== null && (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB');
}

function sqliteCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  return error.code.startsWith('SQLITE_') ? error.code : null;
}
