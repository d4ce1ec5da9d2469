import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionKey, SessionStore, SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk';
import * as z from 'zod/mini';
import { type NewEvent, newEvent } from '../../../src-shared/events.ts';
import type { RunId, Seq } from '../../../src-shared/ids.ts';
import type { AdapterHost } from './adapter.ts';
import { Entry, isErrno, readTranscriptFile, rekeyed, writeTranscriptFile } from './claude-transcript-file.ts';

/**
 * Claude's transcripts in the session's log. What Claude Code writes is appended, once, as it wrote it; before a conversation is
 * resumed, log and transcript file are made to hold the same, so that Claude Code finds it whole on any machine, in any folder.
 *
 * The file is written into the user's own Claude folder and `load` then answers "nothing stored", upon which the SDK resumes from
 * the file. Entries handed to the SDK instead would make it run Claude Code in a temporary folder, with a copy of the credentials
 * that cannot be renewed and without the user's memory, commands, agents and plugins.
 */
type Log = Pick<AdapterHost, 'append' | 'readLog'>;

const Entries = z.array(Entry);
/** Read without looking into the entries: a long conversation has hundreds of thousands of values. */
const TranscriptPayload = z.object({ subpath: z.nullable(z.string()), entries: Entries });

/** A resume that finds more entries than this in one piece hands them to the log in several events. */
const IMPORT_BATCH = 200;

export interface TranscriptPlace {
  readonly log: Log;
  /** Claude Code's own folder, as the child sees it. */
  readonly configDir: string;
  /** The session's folder now; entries remember the one they were written in. */
  readonly cwd: string;
}

export class TranscriptStore implements SessionStore {
  readonly #place: TranscriptPlace;
  readonly #onAppended: (subpath: string | null, entries: readonly Entry[]) => void;
  /** uuids that are in the log: an append that is tried again, or a fork that repeats its origin, adds nothing twice. */
  readonly #logged = new Set<string>();

  constructor(place: TranscriptPlace, onAppended: (subpath: string | null, entries: readonly Entry[]) => void) {
    this.#place = place;
    this.#onAppended = onAppended;
  }

  append({ subpath }: SessionKey, entries: readonly SessionStoreEntry[]): Promise<void> {
    return this.#append(subpath ?? null, Entries.parse(entries));
  }

  async #append(subpath: string | null, entries: readonly Entry[]): Promise<void> {
    const fresh = entries.filter(({ uuid }) => uuid === undefined || !this.#logged.has(uuid));
    if (fresh.length === 0) return;
    await this.#place.log.append([transcriptEvent(subpath, fresh)]);
    for (const { uuid } of fresh) if (uuid !== undefined) this.#logged.add(uuid);
    this.#onAppended(subpath, fresh);
  }

  async load(key: SessionKey): Promise<null> {
    const logged = await readTranscript(this.#place.log, { claudeSessionId: key.sessionId });
    const folder = join(this.#place.configDir, 'projects', key.projectKey);
    for (const subpath of new Set([null, ...logged.keys(), ...(await subpathsOnDisk(join(folder, key.sessionId)))])) {
      const file = subpath === null ? `${key.sessionId}.jsonl` : join(key.sessionId, `${subpath}.jsonl`);
      await this.#level(join(folder, file), subpath, logged.get(subpath) ?? []);
    }
    return null;
  }

  /**
   * Adds to the file what only the log has (another machine wrote it, or the file was cleaned up) and to the log what only the
   * file has (written in the moment of a crash, or in a Claude Code outside Baton). Neither loses a line.
   */
  async #level(path: string, subpath: string | null, logged: readonly Entry[]): Promise<void> {
    const { entries: local, isWhole } = await readTranscriptFile(path);
    const known = new Set(logged.map(identity));
    for (const { uuid } of logged) if (uuid !== undefined) this.#logged.add(uuid);
    const onlyLocal = local.filter((entry) => !known.has(identity(entry)));
    for (let start = 0; start < onlyLocal.length; start += IMPORT_BATCH) {
      await this.#append(subpath, onlyLocal.slice(start, start + IMPORT_BATCH));
    }
    const present = new Set(local.map(identity));
    if (isWhole && logged.every((entry) => present.has(identity(entry)))) return;
    // In the log's order: Claude Code takes the last entry of the file for the end of the conversation.
    const from = logged.find((entry) => typeof entry.cwd === 'string')?.cwd;
    await writeTranscriptFile(path, [...logged.map((entry) => rekeyed(entry, from, this.#place.cwd)), ...onlyLocal]);
  }
}

/** Lines without a uuid (titles, modes, costs) are the same when they say the same. */
function identity(entry: Entry): string {
  return entry.uuid ?? JSON.stringify(entry);
}

function transcriptEvent(subpath: string | null, entries: readonly Entry[]): NewEvent {
  return newEvent('claude:transcript', 'entries', { subpath, entries: [...entries] });
}

async function* transcriptEvents(log: Log, { runId, upTo }: Omit<TranscriptQuery, 'claudeSessionId'>) {
  const range = { ...(runId === undefined ? {} : { runId }), ...(upTo === undefined ? {} : { upTo }) };
  for await (const { payload } of log.readLog({ ...range, channels: ['claude:transcript'] })) {
    const read = TranscriptPayload.safeParse(payload);
    if (read.success) yield read.data;
  }
}

async function subpathsOnDisk(folder: string): Promise<string[]> {
  const names = await namesIn(join(folder, 'subagents'));
  return names.filter((name) => name.endsWith('.jsonl')).map((name) => `subagents/${name.slice(0, -'.jsonl'.length)}`);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** The conversation that was last held in a folder, inside Baton or outside; null where there is none. */
export async function newestConversation(configDir: string, cwd: string): Promise<string | null> {
  const { listSessions } = await import('@anthropic-ai/claude-agent-sdk');
  let projectKey = '';
  // The SDK alone knows how a folder's name becomes the name of its transcripts' folder.
  const curious = {
    append: () => Promise.resolve(),
    load: () => Promise.resolve(null),
    listSessions: (key: string) => {
      projectKey = key;
      return Promise.resolve([]);
    },
  };
  await listSessions({ dir: cwd, sessionStore: curious });
  const folder = join(configDir, 'projects', projectKey);
  const files = (await namesIn(folder)).filter((name) => name.endsWith('.jsonl'));
  const dated = await Promise.all(files.map(async (name) => ({ name, mtimeMs: (await stat(join(folder, name))).mtimeMs })));
  const newest = dated.sort((one, other) => other.mtimeMs - one.mtimeMs)[0];
  return newest === undefined ? null : newest.name.slice(0, -'.jsonl'.length);
}

export interface TranscriptQuery {
  readonly claudeSessionId: string;
  readonly runId?: RunId;
  readonly upTo?: Seq;
}

/** A conversation's entries in the log, by transcript: null is the main one. */
export async function readTranscript(log: Log, query: TranscriptQuery): Promise<Map<string | null, Entry[]>> {
  const found = new Map<string | null, Entry[]>();
  for await (const { subpath, entries } of transcriptEvents(log, query)) {
    // A subagent's metadata does not name its session; the entries beside it do.
    const ours = entries.filter(({ sessionId }) => sessionId === undefined || sessionId === query.claudeSessionId);
    const all = found.get(subpath);
    if (all === undefined) found.set(subpath, ours);
    else all.push(...ours);
  }
  for (const [subpath, entries] of found) if (!entries.some(({ sessionId }) => sessionId !== undefined)) found.delete(subpath);
  return found;
}

/** The conversation that the log, read up to `upTo`, ends in; null where nothing was said. /clear begins a new one in the same log. */
export async function latestConversation(log: Log, query: Omit<TranscriptQuery, 'claudeSessionId'>): Promise<string | null> {
  let latest: string | null = null;
  for await (const { subpath, entries } of transcriptEvents(log, query)) {
    const last = entries.findLast(({ type, sessionId }) => type === 'user' && typeof sessionId === 'string');
    if (subpath === null && typeof last?.sessionId === 'string') latest = last.sessionId;
  }
  return latest;
}

/** Copies another session's conversation into this log, under a new id of Claude's. */
export async function forkTranscript(
  log: Log,
  origin: { readonly runId: RunId; readonly seq: Seq },
  claudeSessionId: string,
): Promise<'forked' | 'nothing-to-fork'> {
  const query = { runId: origin.runId, upTo: origin.seq };
  const source = await latestConversation(log, query);
  if (source === null) return 'nothing-to-fork';
  const transcripts = await readTranscript(log, { ...query, claudeSessionId: source });
  const events = [...transcripts].flatMap(([subpath, entries]) => {
    const copied = entries.map((entry) => (entry.sessionId === undefined ? entry : { ...entry, sessionId: claudeSessionId }));
    const batches = Array.from({ length: Math.ceil(copied.length / IMPORT_BATCH) }, (_, index) => index * IMPORT_BATCH);
    return batches.map((start) => transcriptEvent(subpath, copied.slice(start, start + IMPORT_BATCH)));
  });
  // In one go: a crash leaves either the whole conversation or none of it.
  await log.append(events, { durable: true });
  return 'forked';
}
