import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod/mini';
import type { Json } from '../../../src-shared/events.ts';

/** One line of a transcript, of whatever kind: all that is known of every kind. */
export interface Entry {
  readonly type: string;
  readonly uuid?: string;
  readonly [field: string]: Json;
}
/** Lines come from JSON, so that only what is used of every kind needs a look. */
export const Entry = z.custom<Entry>(isEntry, 'expected a transcript entry');

/** Claude Code's transcript files: one JSON object a line. A subagent's description lies beside its transcript. */

export interface TranscriptFile {
  readonly entries: readonly Entry[];
  /** Its last line is complete: what is appended does not run into it. */
  readonly isWhole: boolean;
}

/** Nothing where there is no file. A line that is no entry (the last one before a power cut) is passed over. */
export async function readTranscriptFile(path: string): Promise<TranscriptFile> {
  let raw: string;
  try {
    raw = await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { entries: [], isWhole: true };
    throw error;
  }
  const entries = raw.split('\n').flatMap((line) => {
    const entry = parseLine(line);
    return entry === null ? [] : [entry];
  });
  return { entries, isWhole: raw === '' || raw.endsWith('\n') };
}

function parseLine(line: string): Entry | null {
  try {
    const entry: unknown = JSON.parse(line);
    return isEntry(entry) ? entry : null;
  } catch {
    return null;
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') return false;
  return !('uuid' in value) || typeof value.uuid === 'string';
}

export async function writeTranscriptFile(path: string, entries: readonly Entry[]): Promise<void> {
  const metadata = entries.findLast(({ type }) => type === 'agent_metadata');
  await writeWhole(
    path,
    entries.filter(({ type }) => type !== 'agent_metadata').map((entry) => `${JSON.stringify(entry)}\n`),
  );
  if (metadata === undefined) return;
  const { type: _, ...described } = metadata;
  await writeWhole(path.replace(/\.jsonl$/, '.meta.json'), [JSON.stringify(described)]);
}

/** Temporary file, fsync, rename: a reader sees the old file or the new one. */
async function writeWhole(path: string, lines: readonly string[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(lines.join(''));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** The entry as if it had been written below `to`: a session that moved to another folder or machine goes on there. */
export function rekeyed(entry: Entry, from: unknown, to: string): Entry {
  const { cwd } = entry;
  if (typeof cwd !== 'string' || typeof from !== 'string' || from === to) return entry;
  if (cwd === from) return { ...entry, cwd: to };
  const isBelow = cwd.startsWith(from) && /^[\\/]/.test(cwd.slice(from.length));
  return isBelow ? { ...entry, cwd: to + cwd.slice(from.length) } : entry;
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
