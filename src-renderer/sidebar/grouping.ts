import { needsYou } from '../../src-shared/notify.ts';
import type { SessionStatus, SessionSummary } from '../../src-shared/session.ts';
import { projectOf, shortPath } from './project.ts';

export type StateGroup = 'needsYou' | 'interrupted' | 'working' | 'idle' | 'ended';
export type GroupBy = 'state' | 'project' | 'machine';

/** `key` is stable and names the group in preferences; `name` is set where it is a folder's or a machine's and not one of ours. */
export interface SessionGroup {
  readonly key: string;
  readonly state: StateGroup | null;
  readonly name: string | null;
  readonly sessions: readonly SessionSummary[];
}

/** A line of the list: a group's heading or a session. */
export type ListRow =
  | { readonly is: 'group'; readonly group: SessionGroup; readonly isFolded: boolean }
  | { readonly is: 'session'; readonly session: SessionSummary; readonly groupKey: string };

/** Interrupted sessions can be continued at once: after a crash they must not hide among the ended ones. */
const stateGroups: Record<SessionStatus, StateGroup> = {
  waiting: 'needsYou',
  starting: 'working',
  running: 'working',
  moving: 'working',
  idle: 'idle',
  interrupted: 'interrupted',
  ended: 'ended',
};
const stateOrder: readonly StateGroup[] = ['needsYou', 'interrupted', 'working', 'idle', 'ended'];

export function stateGroupOf(session: SessionSummary): StateGroup {
  return stateGroups[session.status];
}

/**
 * Order inside a group. What waits longest comes first; what works keeps its place (a row must not jump at each output); what is
 * at rest shows the newest first.
 */
const byState: Record<StateGroup, (a: SessionSummary, b: SessionSummary) => number> = {
  needsYou: (a, b) => compare(a.lastActivityAt, b.lastActivityAt) || byAge(a, b),
  interrupted: (a, b) => compare(b.lastActivityAt, a.lastActivityAt) || byAge(a, b),
  working: (a, b) => byAge(a, b),
  idle: (a, b) => compare(b.lastActivityAt, a.lastActivityAt) || byAge(a, b),
  ended: (a, b) => compare(b.lastActivityAt, a.lastActivityAt) || byAge(a, b),
};

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
/** Run ids are made in the order of time. */
function byAge(a: SessionSummary, b: SessionSummary): number {
  return compare(b.runId, a.runId);
}

/** Sessions whose title, folder, machine, kind or state has every word of the query. */
export function filterSessions(sessions: readonly SessionSummary[], query: string): readonly SessionSummary[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return sessions;
  return sessions.filter((session) => {
    const text = [session.title, shortPath(session.cwd), session.cwd, session.machine, session.kind, session.status]
      .join('\n')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export function groupSessions(sessions: readonly SessionSummary[], groupBy: GroupBy): readonly SessionGroup[] {
  if (groupBy === 'machine') return onMachines(sessions);
  return groupBy === 'state' ? inStates(sessions) : inProjects(sessions);
}

function inStates(sessions: readonly SessionSummary[]): readonly SessionGroup[] {
  return stateOrder.map((state) => stateGroup(state, sessions)).filter((group) => group.sessions.length > 0);
}

function stateGroup(state: StateGroup, sessions: readonly SessionSummary[]): SessionGroup {
  const members = sessions.filter((session) => stateGroupOf(session) === state).toSorted(byState[state]);
  return { key: state, state, name: null, sessions: members };
}

/** By folder, in the order of their names; inside, what needs the user first. Ended sessions stay in one group at the end. */
function inProjects(sessions: readonly SessionSummary[]): readonly SessionGroup[] {
  const live = sessions.filter((session) => stateGroupOf(session) !== 'ended');
  const folders = [...gathered(live, ({ cwd }) => cwd)].map(([cwd, members]) => ({
    key: `project:${cwd}`,
    state: null,
    name: projectOf(cwd),
    sessions: inStates(members).flatMap((group) => group.sessions),
  }));
  const ended = stateGroup('ended', sessions);
  return [
    ...folders.toSorted((a, b) => a.name.localeCompare(b.name) || compare(a.key, b.key)),
    ...(ended.sessions.length > 0 ? [ended] : []),
  ];
}

function gathered(sessions: readonly SessionSummary[], by: (session: SessionSummary) => string) {
  const groups = new Map<string, SessionSummary[]>();
  for (const session of sessions) {
    const members = groups.get(by(session)) ?? [];
    members.push(session);
    groups.set(by(session), members);
  }
  return groups;
}

/** By the machine that hosts them, this one first; inside, what needs the user first and the ended ones last. */
function onMachines(sessions: readonly SessionSummary[]): readonly SessionGroup[] {
  const groups = [...gathered(sessions, ({ machineId }) => machineId)].map(([machineId, members]) => ({
    key: `machine:${machineId}`,
    state: null,
    name: members[0]?.machine ?? '',
    isHere: members[0]?.remote === null,
    sessions: inStates(members).flatMap((group) => group.sessions),
  }));
  return groups.toSorted((a, b) => Number(b.isHere) - Number(a.isHere) || a.name.localeCompare(b.name) || compare(a.key, b.key));
}

/** The list as it is drawn. While one filters, nothing is folded. */
export function listRows(groups: readonly SessionGroup[], folded: readonly string[], isFiltering: boolean): readonly ListRow[] {
  return groups.flatMap((group): ListRow[] => {
    const isFolded = !isFiltering && folded.includes(group.key);
    const heading: ListRow = { is: 'group', group, isFolded };
    if (isFolded) return [heading];
    return [heading, ...group.sessions.map((session): ListRow => ({ is: 'session', session, groupKey: group.key }))];
  });
}

/** The next session that needs the user, after `current`, in the order of waiting; null when none does. */
export function nextWaiting(sessions: readonly SessionSummary[], current: string | null): SessionSummary | null {
  const waiting = stateGroup('needsYou', sessions.filter(needsYou)).sessions;
  const at = waiting.findIndex((session) => session.runId === current);
  return waiting[(at + 1) % Math.max(1, waiting.length)] ?? null;
}
