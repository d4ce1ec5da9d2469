import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Seq } from '../../../src-shared/ids.ts';
import { forkTranscript, latestConversation, readTranscript, TranscriptStore } from './claude-session-store.ts';
import type { Entry } from './claude-transcript-file.ts';
import { type RecordingHost, recordingHost } from './recording-host.ts';

let configDir: string;
let host: RecordingHost;
beforeEach(() => {
  configDir = mkdtempSync(join(tmpdir(), 'baton-transcripts-'));
  host = recordingHost({ kind: 'echo', cwd: '/new/place' });
});
afterEach(() => rmSync(configDir, { recursive: true }));

const KEY = { projectKey: '-new-place', sessionId: 's1' };
const open = () => new TranscriptStore({ log: host, configDir, cwd: '/new/place' }, () => undefined);
const said = (uuid: string, more: Record<string, string> = {}): Entry => ({
  type: 'user',
  uuid,
  sessionId: 's1',
  cwd: '/old/place',
  message: { content: uuid },
  ...more,
});
const fileOf = (subpath?: string) =>
  subpath === undefined
    ? join(configDir, 'projects', KEY.projectKey, `${KEY.sessionId}.jsonl`)
    : join(configDir, 'projects', KEY.projectKey, KEY.sessionId, `${subpath}.jsonl`);
const lines = (path: string): Entry[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
function write(path: string, entries: readonly Entry[], end = ''): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, entries.map((entry) => `${JSON.stringify(entry)}\n`).join('') + end);
}
const logged = async () => (await readTranscript(host, { claudeSessionId: 's1' })).get(null) ?? [];

describe('[claude-1] append', () => {
  it('logs each entry once, however often it comes', async () => {
    const store = open();
    await store.append(KEY, [said('a'), { type: 'mode', sessionId: 's1' }]);
    await store.append(KEY, [said('a'), said('b')]);
    await store.append(KEY, [said('b')]);
    expect((await logged()).map(({ uuid, type }) => uuid ?? type)).toEqual(['a', 'mode', 'b']);
  });

  it('is tried again by the SDK when the log refused', async () => {
    const failing = Object.assign(Object.create(host), { append: () => Promise.reject(new Error('disk full')) });
    const store = new TranscriptStore({ log: failing, configDir, cwd: '/new/place' }, () => undefined);
    await expect(store.append(KEY, [said('a')])).rejects.toThrow('disk full');
    failing.append = host.append.bind(host);
    await store.append(KEY, [said('a')]);
    expect(await logged()).toHaveLength(1);
  });
});

describe('[claude-1] load', () => {
  it('writes the whole transcript where Claude Code looks for it, as if it had been written here', async () => {
    await open().append(KEY, [said('a'), said('b', { cwd: '/old/place/below' }), said('c', { cwd: '/old/placebo' })]);
    await open().append({ ...KEY, subpath: 'subagents/agent-x' }, [
      { type: 'agent_metadata', agentType: 'explorer' },
      { ...said('d'), isSidechain: true },
    ]);
    await expect(open().load(KEY)).resolves.toBeNull();
    expect(lines(fileOf()).map(({ uuid, cwd }) => [uuid, cwd])).toEqual([
      ['a', '/new/place'],
      ['b', '/new/place/below'],
      ['c', '/old/placebo'],
    ]);
    expect(lines(fileOf('subagents/agent-x')).map(({ uuid }) => uuid)).toEqual(['d']);
    expect(JSON.parse(readFileSync(fileOf('subagents/agent-x').replace('.jsonl', '.meta.json'), 'utf8'))).toEqual({
      agentType: 'explorer',
    });
    expect((await logged()).map(({ cwd }) => cwd)).toEqual(['/old/place', '/old/place/below', '/old/placebo']);
  });

  it('keeps what only one side knows, and the order of the log', async () => {
    await open().append(KEY, [said('a'), said('b'), said('c')]);
    write(fileOf(), [said('a'), said('x')], '{"type":"user","uuid":"torn');
    await open().load(KEY);
    expect(lines(fileOf()).map(({ uuid }) => uuid)).toEqual(['a', 'b', 'c', 'x']);
    expect((await logged()).map(({ uuid }) => uuid)).toEqual(['a', 'b', 'c', 'x']);
  });

  it('does not touch a file that holds everything', async () => {
    await open().append(KEY, [said('a')]);
    const entries = [said('a'), said('b')];
    write(fileOf(), entries, '\n');
    await open().load(KEY);
    expect(readFileSync(fileOf(), 'utf8')).toBe(`${entries.map((entry) => JSON.stringify(entry)).join('\n')}\n\n`);
  });

  it('mends a last line that broke off, so that the next one does not run into it', async () => {
    await open().append(KEY, [said('a')]);
    write(fileOf(), [said('a')], '{"type":"user","uuid":"torn');
    await open().load(KEY);
    expect(readFileSync(fileOf(), 'utf8').endsWith('}\n')).toBe(true);
    expect(lines(fileOf()).map(({ uuid }) => uuid)).toEqual(['a']);
  });

  it('leaves the conversation before a /clear out', async () => {
    await open().append({ ...KEY, sessionId: 's0' }, [said('a', { sessionId: 's0' })]);
    await open().append(KEY, [said('b')]);
    await open().load(KEY);
    expect(lines(fileOf()).map(({ uuid }) => uuid)).toEqual(['b']);
    expect(await latestConversation(host, {})).toBe('s1');
  });

  it('takes in more entries than fit into one event', async () => {
    write(
      fileOf(),
      Array.from({ length: 450 }, (_, index) => said(`e${index}`)),
    );
    await open().load(KEY);
    expect(host.log.map(({ channel }) => channel)).toEqual(Array.from({ length: 3 }, () => 'claude:transcript'));
    expect(await logged()).toHaveLength(450);
  });
});

it('a fork copies the conversation under its own id, in one go', async () => {
  await open().append(KEY, [said('a')]);
  const origin = { runId: host.runId, seq: Seq.parse(host.log.length) };
  await open().append(KEY, [said('b')]);
  const fork = recordingHost({ kind: 'echo', cwd: '/new/place' }, { otherLogs: [host.log] });
  expect(await forkTranscript(fork, origin, 's2')).toBe('forked');
  expect((await readTranscript(fork, { claudeSessionId: 's2' })).get(null)).toMatchObject([{ uuid: 'a', sessionId: 's2' }]);
  expect(fork.told).toHaveLength(1);
  expect(fork.told[0]).toMatchObject({ durable: true });
  const silent = recordingHost({ kind: 'echo', cwd: '/new/place' });
  expect(await forkTranscript(silent, { runId: silent.runId, seq: Seq.parse(9) }, 's3')).toBe('nothing-to-fork');
});
