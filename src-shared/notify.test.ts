import { describe, expect, it } from 'vitest';
import type { PermissionAsked } from './events.ts';
import { NO_SEQ, type RunId } from './ids.ts';
import { type Attention, factsOf, type Happening, needsYou, noticeFor, SessionWatch } from './notify.ts';
import { summaryOf } from './session.fixture.ts';
import type { SessionState, SessionSummary } from './session.ts';
import { initialState } from './session-state.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

const summary = (change: Partial<SessionSummary> = {}) =>
  summaryOf({ kind: 'claude', status: 'idle', title: 'rewrite the secret parser', ...change });

function watchOf(...looks: readonly (readonly [Partial<SessionSummary>, number])[]): Happening[] {
  const watch = new SessionWatch();
  return looks.flatMap(([change, now]) => watch.look(new Map([[summary().runId, summary(change)]]), now));
}
const kinds = (happened: readonly Happening[]) => happened.map(({ kind }) => kind);

describe('SessionWatch', () => {
  it('tells of a turn that ended, and how long it took, permission waits included', () => {
    const happened = watchOf(
      [{}, 0],
      [{ status: 'running' }, 1_000],
      [{ status: 'waiting', permissions: 1 }, 5_000],
      [{ status: 'running' }, 20_000],
      [{}, 41_000],
    );
    expect(kinds(happened)).toEqual(['permission-asked', 'permission-settled', 'turn-ended']);
    expect(happened.at(-1)).toMatchObject({ durationMs: 40_000 });
  });

  it('waits for the end of the queue', () => {
    expect(
      watchOf([{ status: 'running', queued: 1 }, 0], [{ status: 'idle', queued: 1 }, 1], [{ status: 'running' }, 2], [{}, 3]),
    ).toHaveLength(1);
  });

  it('tells of each further permission request', () => {
    const happened = watchOf(
      [{ status: 'running' }, 0],
      [{ status: 'waiting', permissions: 1 }, 1],
      [{ status: 'waiting', permissions: 2 }, 2],
      [{ status: 'waiting', permissions: 1 }, 3],
    );
    expect(kinds(happened)).toEqual(['permission-asked', 'permission-asked']);
  });

  it('tells of the end once, and of no turn when the session dies in it', () => {
    expect(kinds(watchOf([{ status: 'running' }, 0], [{ status: 'ended', exitCode: 1 }, 1], [{ status: 'ended' }, 2]))).toEqual([
      'session-ended',
    ]);
  });

  it('says nothing of a terminal that is used, nor of what was there before or is new', () => {
    expect(watchOf([{ kind: 'pty', status: 'running' }, 0], [{ kind: 'pty', status: 'running' }, 1])).toEqual([]);
    expect(watchOf([{ status: 'waiting', permissions: 2 }, 0], [{ status: 'waiting', permissions: 2 }, 1])).toEqual([]);
  });
});

describe('factsOf', () => {
  const state = initialState({ kind: 'claude', cwd: '/', model: null, permissionMode: 'default', options: {}, forkOf: null });
  const asking = (toolName: string, input: PermissionAsked['input']): SessionState => ({
    ...state,
    permissions: [
      {
        asked: { requestId: '1', toolName, input, toolUseId: null, sessionRule: null, title: null, reason: null },
        seq: NO_SEQ,
        ts: 0,
      },
    ],
  });

  it('says what a tool wants to do, in one line', () => {
    expect(factsOf(asking('Bash', { command: 'npm test &&\n\u202e rm x' })).detail).toBe('Bash: npm test && rm x');
    expect(factsOf(asking('Odd', { depth: 1 })).detail).toBe('Odd: {"depth":1}');
    expect(factsOf(asking('Bash', { command: 'x'.repeat(999) })).detail).toHaveLength(200);
  });

  it('says how the last turn ended', () => {
    expect(factsOf({ ...state, lastTurn: { outcome: 'failed', message: 'no network', ts: 0 } })).toEqual({
      detail: 'no network',
      lastOutcome: 'failed',
    });
    expect(factsOf(state)).toEqual({ detail: null, lastOutcome: null });
  });
});

describe('noticeFor', () => {
  const asked: Happening = { kind: 'permission-asked', session: summary() };
  const away: Attention = { anyWindowFocused: false, visible: new Set() };
  const elsewhere: Attention = { anyWindowFocused: true, visible: new Set() };
  const looking: Attention = { anyWindowFocused: true, visible: new Set<RunId>([summary().runId]) };
  const turn = (durationMs: number): Happening => ({ kind: 'turn-ended', session: summary(), durationMs });

  const nothing = { detail: null, lastOutcome: null };
  const secret = { detail: 'Bash: rm -rf secret', lastOutcome: null };

  it('shows no content without leave', () => {
    const notice = noticeFor(asked, away, DEFAULT_SETTINGS, secret);
    expect(notice).toMatchObject({ title: 'Claude in api: asks for permission', body: null, where: 'system' });
    expect(JSON.stringify(notice)).not.toContain('secret');
  });

  it('[follow-1] says nothing of sessions that this machine does not follow', () => {
    const session = summary({ followed: false, status: 'waiting' });
    expect(noticeFor({ kind: 'permission-asked', session }, away, DEFAULT_SETTINGS, nothing)).toBeNull();
    expect(noticeFor({ kind: 'program', session, words: 'done' }, away, DEFAULT_SETTINGS, nothing)).toBeNull();
    expect([session, summary({ status: 'waiting' })].map(needsYou)).toEqual([false, true]);
  });

  it('[view-1] names the machine of a session that runs elsewhere', () => {
    const session = summary({
      machine: 'desktop',
      remote: { connection: 'live', behindBytes: null, heardAt: null, historyComplete: true },
    });
    const happening: Happening = { kind: 'permission-asked', session };
    expect(noticeFor(happening, away, DEFAULT_SETTINGS, nothing)?.title).toBe('Claude in api on desktop: asks for permission');
    const settings = { ...DEFAULT_SETTINGS, 'notifications.showContent': true };
    expect(noticeFor(happening, away, settings, nothing)?.title).toBe(
      'rewrite the secret parser on desktop: asks for permission',
    );
  });

  it('shows it with leave', () => {
    const settings = { ...DEFAULT_SETTINGS, 'notifications.showContent': true };
    expect(noticeFor(asked, away, settings, secret)).toMatchObject({
      title: 'rewrite the secret parser: asks for permission',
      body: 'Bash: rm -rf secret',
    });
  });

  it('shows the words of a program under the name of its session, unless the user wants none', () => {
    const session = summary({ kind: 'pty', title: 'secret plans' });
    const happening: Happening = { kind: 'program', session, words: 'make: all done' };
    expect(noticeFor(happening, away, DEFAULT_SETTINGS, nothing)).toEqual({
      kind: 'program',
      runId: session.runId,
      title: 'Terminal in api',
      body: 'make: all done',
      where: 'system',
    });
    expect(noticeFor(happening, elsewhere, DEFAULT_SETTINGS, nothing)?.where).toBe('window');
    expect(noticeFor(happening, looking, DEFAULT_SETTINGS, nothing)).toBeNull();
    expect(noticeFor(happening, away, { ...DEFAULT_SETTINGS, 'notifications.fromPrograms': false }, nothing)).toBeNull();
  });

  it('says nothing to somebody who looks at it', () => {
    expect(noticeFor(asked, looking, DEFAULT_SETTINGS, nothing)).toBeNull();
  });

  it('tells somebody who looks at another session inside the window', () => {
    expect(noticeFor(asked, elsewhere, DEFAULT_SETTINGS, nothing)?.where).toBe('window');
  });

  it('tells of a short turn only somebody who is away', () => {
    expect(noticeFor(turn(29_000), away, DEFAULT_SETTINGS, nothing)?.where).toBe('system');
    expect(noticeFor(turn(29_000), elsewhere, DEFAULT_SETTINGS, nothing)).toBeNull();
    expect(noticeFor(turn(30_000), elsewhere, DEFAULT_SETTINGS, nothing)?.where).toBe('window');
  });

  it('minds the settings', () => {
    const settings = { ...DEFAULT_SETTINGS, 'notifications.permissionAsked': false };
    expect(noticeFor(asked, away, settings, nothing)).toBeNull();
    expect(noticeFor(turn(60_000), away, settings, nothing)).not.toBeNull();
  });

  it.each([
    ['done', 'Claude in api: is done'],
    ['failed', 'Claude in api: failed'],
    ['interrupted', 'Claude in api: was interrupted'],
  ] as const)('says how a turn ended (%s)', (lastOutcome, title) => {
    expect(noticeFor(turn(1), away, DEFAULT_SETTINGS, { detail: null, lastOutcome })?.title).toBe(title);
  });

  it.each([
    [{ status: 'ended', exitCode: 0 }, 'Terminal in api: ended'],
    [{ status: 'ended', exitCode: 137 }, 'Terminal in api: ended with code 137'],
    [{ status: 'interrupted' }, 'Terminal in api: was interrupted'],
  ] as const)('says how a session ended (%o)', (change, title) => {
    const session = summary({ kind: 'pty', ...change });
    expect(noticeFor({ kind: 'session-ended', session }, away, DEFAULT_SETTINGS, nothing)?.title).toBe(title);
  });
});
