import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';

/**
 * What may stand in a log: facts about the machinery. What people type, what programs print, titles, folders and keys never do,
 * so there is no field for free text, and of an error only its name, code and the places in our own code.
 */
export interface LogFields {
  readonly runId?: string;
  readonly clientId?: string;
  readonly kind?: string;
  readonly status?: string;
  readonly operation?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly signal?: string | null;
  readonly exitCode?: number | null;
  readonly pid?: number;
  readonly seq?: number;
  readonly count?: number;
  readonly bytes?: number;
  readonly durationMs?: number;
  readonly version?: string;
  readonly error?: unknown;
}

export interface Logger {
  /** `event`: a fixed phrase, never made from data. */
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  close(): void;
}

const ALLOWED: ReadonlySet<string> = new Set<keyof LogFields>([
  'runId',
  'clientId',
  'kind',
  'status',
  'operation',
  'code',
  'reason',
  'signal',
  'exitCode',
  'pid',
  'seq',
  'count',
  'bytes',
  'durationMs',
  'version',
]);
/** A value that is longer is no name or number. */
const MAX_VALUE_LENGTH = 200;
const MAX_FRAMES = 12;

const MAX_FILE_BYTES = 5 * 1024 * 1024;
const KEPT_FILES = 3;

/** `<name>.log` in `folder`, with older ones as `<name>.1.log` … BATON_LOG sets the level (debug, info, warn, error). */
export function openLogger(folder: string, name: string, level = process.env.BATON_LOG ?? 'info'): Logger {
  const file = new RotatingFile(folder, name, MAX_FILE_BYTES);
  return loggerTo(file, level, () => file.close());
}

/** Lines on stderr, for a process whose supervisor keeps them. */
export function openStderrLogger(level = process.env.BATON_LOG ?? 'info'): Logger {
  return loggerTo(process.stderr, level, () => {});
}

function loggerTo(destination: { write(line: string): void }, level: string, close: () => void): Logger {
  const isLevel = Object.hasOwn(pino.levels.values, level);
  const log = pino(
    { level: isLevel ? level : 'info', base: { process: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    destination,
  );
  const at =
    (write: (fields: object, event: string) => void) =>
    (event: string, fields: LogFields = {}) =>
      write(allowed(fields), event);
  return {
    debug: at((fields, event) => log.debug(fields, event)),
    info: at((fields, event) => log.info(fields, event)),
    warn: at((fields, event) => log.warn(fields, event)),
    error: at((fields, event) => log.error(fields, event)),
    close,
  };
}

/** The fields of a line, whatever the caller passed. */
export function allowed(fields: LogFields): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (key === 'error') kept.error = errorFacts(value);
    else if (!ALLOWED.has(key)) continue;
    else if (typeof value === 'string') kept[key] = value.slice(0, MAX_VALUE_LENGTH);
    else if (typeof value === 'number' || value === null) kept[key] = value;
  }
  return kept;
}

/** Messages of errors quote what went wrong (a line of output, a prompt that did not parse), so they stay out. */
function errorFacts(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: typeof error };
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, MAX_FRAMES)
    .map((line) => line.trim().slice(0, MAX_VALUE_LENGTH));
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  return { name: error.name, ...code, at: frames, ...(error.cause === undefined ? {} : { cause: errorFacts(error.cause) }) };
}

/** Appends whole lines. When a file is full it becomes `<name>.1.log`, the one before it `<name>.2.log`, and the last one goes. */
export class RotatingFile {
  readonly #folder: string;
  readonly #name: string;
  readonly #maxBytes: number;
  /** null while closed, and between two files. */
  #file: number | null = null;
  #bytes = 0;
  #isClosed = false;

  constructor(folder: string, name: string, maxBytes: number) {
    this.#folder = folder;
    this.#name = name;
    this.#maxBytes = maxBytes;
    this.#file = this.#open();
  }

  write(line: string): void {
    if (this.#isClosed) return;
    const bytes = Buffer.byteLength(line);
    try {
      if (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes) this.#rotate();
      this.#file ??= this.#open();
      writeSync(this.#file, line);
      this.#bytes += bytes;
    } catch (error) {
      // A full disk must not take the engine down with its log.
      process.stderr.write(`baton: cannot write the log in ${this.#folder}: ${error instanceof Error ? error.message : error}\n`);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#closeFile();
  }

  /** Forgotten before it is closed: the number may belong to another file right after. */
  #closeFile(): void {
    const file = this.#file;
    this.#file = null;
    if (file !== null) closeSync(file);
  }

  #open(): number {
    const file = openSync(this.#path(0), 'a', 0o600);
    this.#bytes = fstatSync(file).size;
    return file;
  }

  #path(age: number): string {
    return join(this.#folder, age === 0 ? `${this.#name}.log` : `${this.#name}.${age}.log`);
  }

  #rotate(): void {
    this.#closeFile();
    this.#bytes = 0;
    rmSync(this.#path(KEPT_FILES), { force: true });
    for (let age = KEPT_FILES - 1; age >= 0; age--) {
      try {
        renameSync(this.#path(age), this.#path(age + 1));
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      }
    }
  }
}
