import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SYSTEM_CLOCK } from '../../../src-shared/client.ts';
import { readText, sessionDocument } from '../../../src-shared/workspace-documents.ts';
import { newSession, numbered, prompt, runIdOf } from '../../store/store.fixture.ts';
import { openStore, type Store } from '../../store/store.ts';
import { Documents } from './documents.ts';
import type { DocumentStore } from './shared-document.ts';

let folder: string;
let store: Store;
let documents: Documents;
const problems: string[] = [];
const runId = runIdOf(1);
const other = runIdOf(2);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baton-documents-'));
  problems.length = 0;
  await open();
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
  expect(problems).toEqual([]);
});

const file = () => join(folder, 'baton.db');
const onProblem = (message: string) => void problems.push(message);
async function open(): Promise<void> {
  store = await openStore({ file: file() });
  documents = await Documents.open({ store, clock: SYSTEM_CLOCK, onProblem });
}
async function reopen(): Promise<void> {
  await store.close();
  await open();
}
const draft = async (of = runId) => (await documents.text(of, 'draft')).text;

it('[doc-1] what is written is there after a restart', async () => {
  await documents.setTitle(runId, 'mine');
  await documents.setTitle(other, null);
  await documents.setText(runId, 'draft', 'a prompt', null);
  await documents.setText(runId, 'notes', 'a note', null);
  await reopen();
  expect([documents.title(runId), documents.title(other), documents.title(runIdOf(3))]).toEqual(['mine', null, undefined]);
  expect(await draft()).toBe('a prompt');
  expect((await documents.text(runId, 'notes')).text).toBe('a note');
  expect(await draft(other)).toBe('');
});

it('[doc-11] what the disk refused is written when it takes it, and only then where the document stands with the relay', async () => {
  const due: (() => void)[] = [];
  const setTimer = (run: () => void) => {
    due.push(run);
    return () => {};
  };
  let isFull = true;
  const full: DocumentStore = {
    listDocuments: () => store.listDocuments(),
    readDocument: (name) => store.readDocument(name),
    deleteDocument: (name) => store.deleteDocument(name),
    oldDrafts: () => store.oldDrafts(),
    forgetOldDraft: (runId) => store.forgetOldDraft(runId),
    writeDocument: (name, change) => (isFull ? Promise.reject(new Error('the disk is full')) : store.writeDocument(name, change)),
  };
  documents = await Documents.open({ store: full, clock: { ...SYSTEM_CLOCK, setTimer }, onProblem });
  await expect(documents.setText(runId, 'draft', 'refused', null)).rejects.toThrow('full');
  const name = sessionDocument(runId);
  const document = await documents.load(name);
  document.note({ sync: 'all of it is sent', isSent: true });
  isFull = false;
  await documents.setText(runId, 'notes', 'on top of it', null);
  expect(await store.listDocuments()).toEqual([{ name, unsent: true, sync: null }]);

  expect(due.length).toBe(1);
  for (const run of due) run();
  await vi.waitFor(() => expect(document.isWriting).toBe(false));
  expect(await store.listDocuments()).toEqual([{ name, unsent: true, sync: 'all of it is sent' }]);
  await reopen();
  expect([await draft(), (await documents.text(runId, 'notes')).text]).toEqual(['refused', 'on top of it']);
  expect(problems.splice(0)).toEqual(['a shared document could not be written']);
});

it('[doc-3] two that write at a time both find what they wrote', async () => {
  await documents.setText(runId, 'draft', 'fix it', null);
  await documents.setText(runId, 'draft', 'please fix it', 'fix it');
  const { text } = await documents.setText(runId, 'draft', 'fix it now', 'fix it');
  expect(text).toBe('please fix it now');
  const again = () => documents.setText(runId, 'draft', 'please fix it now!', 'please fix it now');
  expect([(await again()).text, (await again()).text]).toEqual(['please fix it now!', 'please fix it now!']);
  expect((await documents.setText(runId, 'draft', '', 'please fix it now!')).text).toBe('');
});

it('[doc-3] a text that is no text stays one', async () => {
  await documents.setText(runId, 'draft', 'half a \ud83d', null);
  await documents.setText(runId, 'draft', '😀😁', null);
  await documents.setText(runId, 'draft', '😁😁', '😀😁');
  await reopen();
  expect(await draft()).toBe('😁😁');
});

it('[doc-4] each change of a text is told with a higher version', async () => {
  const told: [string, string, number][] = [];
  documents.onText((of, text, now) => told.push([`${of === runId} ${text}`, now.text, now.version]));
  const first = await documents.setText(runId, 'draft', 'a', null);
  const second = await documents.setText(runId, 'notes', 'b', null);
  await documents.setText(runId, 'notes', 'b', null);
  expect(told).toEqual([
    ['true draft', 'a', first.version],
    ['true notes', 'b', second.version],
  ]);
  expect(second.version).toBeGreaterThan(first.version);
  expect((await documents.text(runId, 'draft')).version).toBe(second.version);
});

it('[doc-2] who has named a session is told', async () => {
  const told: unknown[] = [];
  documents.onTitles((runIds) => told.push(runIds));
  await documents.setTitle(runId, 'mine');
  await documents.forget(runId, { everywhere: true });
  expect(told).toEqual([[runId], [runId]]);
  expect(documents.title(runId)).toBeUndefined();
});

it('[doc-5] a draft of an older version is taken over once', async () => {
  for (const id of [runId, other])
    await store.createSession(newSession(id), { events: numbered(id, 1, [prompt('x')]), durable: true });
  await store.close();
  const db = new SqliteDatabase(file());
  db.exec(`INSERT INTO drafts (key, text) SELECT key, 'from before' FROM sessions WHERE run_id = '${runId}'`);
  db.close();
  await open();
  expect(await draft()).toBe('from before');
  await documents.setText(runId, 'draft', 'sent', null);
  await reopen();
  expect([await draft(), await draft(other)]).toEqual(['sent', '']);
  expect(await store.oldDrafts()).toEqual([]);
});

it('a session that is gone leaves nothing behind', async () => {
  await documents.setText(runId, 'draft', 'gone', null);
  await documents.forget(runId, { everywhere: false });
  expect(await draft()).toBe('');
  await documents.forget(runId, { everywhere: false });
  await reopen();
  expect((await store.listDocuments()).map(({ name }) => name)).toEqual([]);
});

it('many changes become one, and documents that nobody uses leave memory', async () => {
  for (let n = 0; n < 250; n++) await documents.setText(runId, 'draft', `text ${n}`, null);
  expect((await store.readDocument(`session:${runId}`)).length).toBeLessThan(110);
  const unloaded: string[] = [];
  documents.listen({ handleUnloaded: ({ name }) => unloaded.push(name) });
  const { doc } = await documents.load(`session:${runId}`);
  for (let n = 2; n < 210; n++) await documents.setText(runIdOf(n), 'draft', `of ${n}`, null);
  expect(unloaded[0]).toBe(`session:${runId}`);
  expect([await draft(), await draft(runIdOf(2))]).toEqual(['text 249', 'of 2']);
  expect(readText(doc, 'draft')).toBe('text 249');
});
