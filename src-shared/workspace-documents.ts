import type * as Y from 'yjs';
import { type MachineId, RunId } from './ids.ts';
import { type Change, changeBetween, changesOnTop } from './merge-text.ts';

/**
 * What all machines of a workspace write together, as Yjs documents: one for the workspace, one for each session. The only file that
 * knows what lies in them under which name. Names may be added; what a name holds never changes its kind.
 */
export const WORKSPACE_DOCUMENT = 'workspace';
const SESSION_PREFIX = 'session:';

export function sessionDocument(runId: RunId): string {
  return `${SESSION_PREFIX}${runId}`;
}

/** Null for the workspace's own. */
export function sessionOfDocument(name: string): RunId | null {
  return name.startsWith(SESSION_PREFIX) ? RunId.parse(name.slice(SESSION_PREFIX.length)) : null;
}

/** draft: the prompt that is being written. notes: what somebody wants to remember about the session. */
export const SESSION_TEXTS = ['draft', 'notes'] as const;
export type SessionText = (typeof SESSION_TEXTS)[number];

const MAX_TITLE_CHARS = 256;
/** Clients are held to less; merging may add up. */
export const MAX_TEXT_CHARS = 4_000_000;

const titlesIn = (doc: Y.Doc) => doc.getMap<unknown>('titles');
const followsIn = (doc: Y.Doc) => doc.getMap<unknown>('follows');
const textIn = (doc: Y.Doc, text: SessionText) => doc.getText(text);

/** The title that a user gave; null where one was taken away, undefined where nobody has ever named it here. */
export function titleIn(workspace: Y.Doc, runId: RunId): string | null | undefined {
  const title = titlesIn(workspace).get(runId);
  if (title === null) return null;
  return typeof title === 'string' ? title : undefined;
}

export function setTitle(workspace: Y.Doc, runId: RunId, title: string | null): void {
  titlesIn(workspace).set(runId, title);
}

/** For sessions that are gone everywhere. */
export function forgetSession(workspace: Y.Doc, runId: RunId): void {
  workspace.transact(() => {
    if (titlesIn(workspace).has(runId)) titlesIn(workspace).delete(runId);
    for (const key of [...followsIn(workspace).keys()]) if (key.startsWith(`${runId} `)) followsIn(workspace).delete(key);
  });
}

/** Whether a machine is to follow a session, as somebody chose; undefined where nobody has. */
export function followIn(workspace: Y.Doc, runId: RunId, machine: MachineId): boolean | undefined {
  const chosen = followsIn(workspace).get(`${runId} ${machine}`);
  return typeof chosen === 'boolean' ? chosen : undefined;
}

export function setFollow(workspace: Y.Doc, runId: RunId, machine: MachineId, follows: boolean): void {
  followsIn(workspace).set(`${runId} ${machine}`, follows);
}

/** Whether a machine follows what others host, where nobody has chosen. */
export function followsOthersIn(workspace: Y.Doc, machine: MachineId): boolean {
  return followsIn(workspace).get(machine) === true;
}

export function setFollowsOthers(workspace: Y.Doc, machine: MachineId, follows: boolean): void {
  if (followsOthersIn(workspace, machine) !== follows) followsIn(workspace).set(machine, follows);
}

/** `all`: what holds for a machine has changed. */
export function onFollows(workspace: Y.Doc, listener: (runIds: readonly RunId[] | 'all') => void): void {
  followsIn(workspace).observe(({ keysChanged }) => {
    const keys = [...keysChanged].map((key) => (key ?? '').split(' '));
    const runIds = keys.flatMap(([runId]) => RunId.safeParse(runId).data ?? []);
    listener(keys.some(({ length }) => length === 1) ? 'all' : runIds);
  });
}

export function onTitles(workspace: Y.Doc, listener: (runIds: readonly RunId[]) => void): void {
  titlesIn(workspace).observe(({ keysChanged }) => {
    listener([...keysChanged].flatMap((key) => RunId.safeParse(key).data ?? []));
  });
}

export function readText(session: Y.Doc, text: SessionText): string {
  return textIn(session, text).toString();
}

export function onText(session: Y.Doc, text: SessionText, listener: () => void): void {
  textIn(session, text).observe(listener);
}

/** `next` was made of `base` (null: of what is there now); what others have changed meanwhile stays [doc-3]. */
export function writeText(session: Y.Doc, text: SessionText, next: string, base: string | null): void {
  const there = readText(session, text);
  const change = changeBetween(base ?? there, whole(next));
  if (change === null) return;
  const changes = base === null ? [change] : changesOnTop(change, base, there);
  session.transact(() => {
    for (const piece of changes) splice(textIn(session, text), piece);
  });
}

function splice(text: Y.Text, { at, removed, inserted }: Change): void {
  if (removed > 0) text.delete(at, removed);
  if (inserted !== '') text.insert(at, inserted);
}

/** Half a character would become another one as soon as it is encoded. */
function whole(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/**
 * Why a document cannot be what a machine that keeps to the rules has made of it; null where it can. `changed`: what there is to look
 * at, by name; names that this version does not know are let be.
 */
export function whyNotValid(
  name: string,
  doc: Y.Doc,
  changed: Iterable<readonly [type: string, keys: Iterable<string | null>]>,
): string | null {
  for (const [type, keys] of changed) {
    const why = name === WORKSPACE_DOCUMENT ? whyNotWorkspace(doc, type, keys) : whyNotSession(doc, type);
    if (why !== null) return why;
  }
  return null;
}

function whyNotWorkspace(doc: Y.Doc, type: string, keys: Iterable<string | null>): string | null {
  if (type === 'follows') return whyNotFollows(doc, keys);
  if (type !== 'titles') return null;
  const titles = titlesIn(doc);
  for (const key of keys) {
    const title: unknown = key === null ? null : titles.get(key);
    const isTitle = title === null || title === undefined || (typeof title === 'string' && title.length <= MAX_TITLE_CHARS);
    if (!isTitle) return 'a title is no text, or too long';
  }
  return null;
}

function whyNotFollows(doc: Y.Doc, keys: Iterable<string | null>): string | null {
  const follows = followsIn(doc);
  for (const key of keys) {
    const chosen: unknown = key === null ? undefined : follows.get(key);
    if (chosen !== undefined && typeof chosen !== 'boolean') return 'whether a machine follows a session is neither yes nor no';
  }
  return null;
}

function whyNotSession(doc: Y.Doc, type: string): string | null {
  const known = SESSION_TEXTS.find((text) => text === type);
  if (known === undefined) return null;
  const text = textIn(doc, known);
  // Whatever else lies in it counts as length, and positions would be other ones than those of its text.
  if (text.length !== text.toString().length) return `the ${known} holds something else than text`;
  return text.length <= MAX_TEXT_CHARS ? null : `the ${known} is longer than ${MAX_TEXT_CHARS} characters`;
}
