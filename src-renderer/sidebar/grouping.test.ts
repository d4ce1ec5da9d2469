import { describe, expect, it } from 'vitest';
import { summary } from '../testing/scripted-host.ts';
import { filterSessions, groupSessions, listRows, nextWaiting } from './grouping.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString();

describe('groups by state', () => {
  it('puts what needs the user first and leaves out what is empty', () => {
    const sessions = [summary({ status: 'ended' }), summary({ status: 'running' }), summary({ status: 'waiting' })];
    expect(groupSessions(sessions, 'state').map((group) => group.key)).toEqual(['needsYou', 'working', 'ended']);
  });

  it('shows who waits longest first, and what rests with the newest first', () => {
    const waiting = [
      summary({ status: 'waiting', lastActivityAt: at(5) }),
      summary({ status: 'waiting', lastActivityAt: at(1) }),
    ];
    const idle = [summary({ status: 'idle', lastActivityAt: at(1) }), summary({ status: 'idle', lastActivityAt: at(5) })];
    const [needsYou, resting] = groupSessions([...waiting, ...idle], 'state');
    expect(needsYou?.sessions).toEqual([waiting[1], waiting[0]]);
    expect(resting?.sessions).toEqual([idle[1], idle[0]]);
  });

  it('lets a working session keep its place while it gives output', () => {
    const [first, second] = [summary({ lastActivityAt: at(1) }), summary({ lastActivityAt: at(2) })];
    const before = groupSessions([first, second], 'state')[0]?.sessions.map((session) => session.runId);
    const after = groupSessions([{ ...first, lastActivityAt: at(9) }, second], 'state')[0]?.sessions.map(
      (session) => session.runId,
    );
    expect(after).toEqual(before);
  });

  it('does not hide an interrupted session among the ended ones', () => {
    expect(groupSessions([summary({ status: 'interrupted' })], 'state').map((group) => group.key)).toEqual(['interrupted']);
  });
});

describe('groups by project', () => {
  it('keeps folders of the same name apart, needs-you first inside, ended ones in one group at the end', () => {
    const sessions = [
      summary({ cwd: '/home/ada/site', status: 'ended' }),
      summary({ cwd: '/srv/site', status: 'idle' }),
      summary({ cwd: '/home/ada/site', status: 'running' }),
      summary({ cwd: '/home/ada/site', status: 'waiting' }),
    ];
    const groups = groupSessions(sessions, 'project');
    expect(groups.map((group) => group.key)).toEqual(['project:/home/ada/site', 'project:/srv/site', 'ended']);
    expect(groups[0]?.sessions.map((session) => session.status)).toEqual(['waiting', 'running']);
  });
});

describe('the filter', () => {
  const sessions = [
    summary({ title: 'Fix store test', cwd: '/home/ada/code/baton', kind: 'claude' }),
    summary({ title: 'zsh', cwd: '/home/ada/code/baton' }),
  ];
  it('wants every word, in whatever order and field', () => {
    expect(filterSessions(sessions, 'BATON store')).toEqual([sessions[0]]);
    expect(filterSessions(sessions, '~/code')).toEqual(sessions);
    expect(filterSessions(sessions, 'store zsh')).toEqual([]);
    expect(filterSessions(sessions, '  ')).toEqual(sessions);
  });
});

describe('rows', () => {
  const groups = groupSessions([summary({ status: 'running' }), summary({ status: 'ended' })], 'state');
  it('leaves out the sessions of folded groups, but not while one filters', () => {
    expect(listRows(groups, ['ended'], false).map((row) => row.is)).toEqual(['group', 'session', 'group']);
    expect(listRows(groups, ['ended'], true).map((row) => row.is)).toEqual(['group', 'session', 'group', 'session']);
  });
});

describe('the next one that needs the user', () => {
  const [oldest, newer] = [
    summary({ status: 'waiting', lastActivityAt: at(1) }),
    summary({ status: 'waiting', lastActivityAt: at(2) }),
  ];
  it('goes round from the current one', () => {
    const all = [newer, oldest, summary({ status: 'running' })];
    expect(nextWaiting(all, null)).toBe(oldest);
    expect(nextWaiting(all, oldest.runId)).toBe(newer);
    expect(nextWaiting(all, newer.runId)).toBe(oldest);
    expect(nextWaiting([], null)).toBeNull();
  });
});
