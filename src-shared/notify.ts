import type { PermissionAsked, TurnOutcome } from './events.ts';
import type { RunId } from './ids.ts';
import type { SessionState, SessionSummary } from './session.ts';
import type { Settings } from './settings.ts';

/**
 * Whom to tell what: folds the changes of sessions into happenings, and decides for each whether the user is told and where.
 * Pure; the desktop shell only shows what comes out.
 */
export type Happening =
  | { readonly kind: 'turn-ended'; readonly session: SessionSummary; readonly durationMs: number }
  | { readonly kind: 'permission-asked'; readonly session: SessionSummary }
  | { readonly kind: 'session-ended'; readonly session: SessionSummary }
  /** Its program has sent a notice of its own; the words are cleaned. */
  | { readonly kind: 'program'; readonly session: SessionSummary; readonly words: string }
  /** Nothing waits for the user any more: what was shown about it is moot. */
  | { readonly kind: 'permission-settled'; readonly session: SessionSummary };

/** A turn that took less is not announced to somebody who works in the same window. */
const LONG_TURN_MS = 30_000;

/** It waits for the user, who wants to hear of it on this machine. */
export function needsYou({ status, followed }: SessionSummary): boolean {
  return status === 'waiting' && followed;
}

interface Seen {
  readonly status: SessionSummary['status'];
  readonly permissions: number;
  /** When the turn in progress was first seen; null while none is. */
  readonly turnSince: number | null;
}

/** What was last seen of every session. */
export class SessionWatch {
  #last: ReadonlyMap<RunId, SessionSummary> = new Map();
  readonly #seen = new Map<RunId, Seen>();

  /** What has happened since the last look. Nothing about a session that is seen for the first time is news. */
  look(sessions: ReadonlyMap<RunId, SessionSummary>, now: number): Happening[] {
    const happened: Happening[] = [];
    for (const [runId, session] of sessions) {
      if (this.#last.get(runId) === session) continue;
      const before = this.#seen.get(runId);
      this.#seen.set(runId, seen(session, before?.turnSince ?? null, now));
      if (before !== undefined) happened.push(...happenings(before, session, now));
    }
    for (const runId of this.#last.keys()) if (!sessions.has(runId)) this.#seen.delete(runId);
    this.#last = sessions;
    return happened;
  }
}

function seen(session: SessionSummary, turnSince: number | null, now: number): Seen {
  const inTurn = session.kind === 'claude' && (session.status === 'running' || session.status === 'waiting');
  return { status: session.status, permissions: session.permissions, turnSince: inTurn ? (turnSince ?? now) : null };
}

function happenings(before: Seen, session: SessionSummary, now: number): Happening[] {
  const happened: Happening[] = [];
  if (session.permissions > before.permissions) happened.push({ kind: 'permission-asked', session });
  if (session.permissions === 0 && before.permissions > 0) happened.push({ kind: 'permission-settled', session });
  // With a prompt in the queue the next turn begins at once: the user is told when all are done.
  const turnIsOver = before.turnSince !== null && session.status === 'idle' && session.queued === 0;
  if (turnIsOver) happened.push({ kind: 'turn-ended', session, durationMs: now - (before.turnSince ?? now) });
  if (isOver(session.status) && !isOver(before.status)) happened.push({ kind: 'session-ended', session });
  return happened;
}

function isOver(status: SessionSummary['status']): boolean {
  return status === 'ended' || status === 'interrupted';
}

/** Where the user looks. */
export interface Attention {
  readonly anyWindowFocused: boolean;
  /** Sessions that the focused window shows. */
  readonly visible: ReadonlySet<RunId>;
}

/** What the session itself can add. */
export interface SessionFacts {
  /** One line about what it did or wants. */
  readonly detail: string | null;
  readonly lastOutcome: TurnOutcome | null;
}

/** Longer ones are cut by every desktop, each in its own way. */
const MAX_DETAIL_LENGTH = 200;

export function factsOf(state: SessionState): SessionFacts {
  const asked = state.permissions.at(-1)?.asked;
  const detail = asked === undefined ? (state.lastTurn?.message ?? null) : wantedBy(asked);
  return { detail: detail === null ? null : oneLine(detail), lastOutcome: state.lastTurn?.outcome ?? null };
}

/** The part of a tool's input that says what it will do. */
function wantedBy({ toolName, input }: PermissionAsked): string {
  const telling = ['command', 'file_path', 'notebook_path', 'url', 'pattern', 'query'].map((name) => input[name]);
  return `${toolName}: ${telling.find((value) => typeof value === 'string') ?? JSON.stringify(input)}`;
}

function oneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim();
  return line.length > MAX_DETAIL_LENGTH ? `${line.slice(0, MAX_DETAIL_LENGTH - 1)}…` : line;
}

export interface Notice {
  readonly kind: 'turn-ended' | 'permission-asked' | 'session-ended' | 'program';
  readonly runId: RunId;
  readonly title: string;
  /** Says more than which session it is, so it needs the user's leave (`notifications.showContent`); null without it. A program's own words are meant to be shown. */
  readonly body: string | null;
  /** `window`: inside Baton, to somebody who looks at another of its sessions. `system`: anywhere else. */
  readonly where: 'system' | 'window';
}

/** null: the user sees it anyway, or does not want to be told. */
export function noticeFor(happening: Happening, attention: Attention, settings: Settings, facts: SessionFacts): Notice | null {
  if (happening.kind === 'permission-settled') return null;
  const { kind, session } = happening;
  if (!session.followed || !settings[SETTING_OF[kind]]) return null;
  if (attention.anyWindowFocused) {
    if (attention.visible.has(session.runId)) return null;
    if (kind === 'turn-ended' && happening.durationMs < LONG_TURN_MS) return null;
  }
  const where = attention.anyWindowFocused ? 'window' : 'system';
  const showContent = settings['notifications.showContent'];
  // Who speaks stands above the words, which could be anybody's.
  if (kind === 'program') {
    return { kind, runId: session.runId, title: nameOf(session, showContent), body: happening.words, where };
  }
  return {
    kind,
    runId: session.runId,
    title: `${nameOf(session, showContent)}: ${wordsFor(happening, facts)}`,
    body: showContent ? facts.detail : null,
    where,
  };
}

const SETTING_OF = {
  'turn-ended': 'notifications.turnEnded',
  'permission-asked': 'notifications.permissionAsked',
  'session-ended': 'notifications.sessionEnded',
  program: 'notifications.fromPrograms',
} as const;

/** Without leave to show more, what may stand on a lock screen: what kind of session, in which folder. A title may quote a prompt. */
function nameOf(session: SessionSummary, showContent: boolean): string {
  const folder = session.cwd.split(/[\\/]/).findLast((part) => part !== '');
  const kind = `${session.kind === 'claude' ? 'Claude' : 'Terminal'}${folder === undefined ? '' : ` in ${folder}`}`;
  return `${showContent ? session.title : kind}${session.remote === null ? '' : ` on ${session.machine}`}`;
}

function wordsFor(
  happening: Exclude<Happening, { kind: 'permission-settled' | 'program' }>,
  { lastOutcome }: SessionFacts,
): string {
  switch (happening.kind) {
    case 'permission-asked':
      return 'asks for permission';
    case 'turn-ended':
      if (lastOutcome === 'failed') return 'failed';
      return lastOutcome === 'interrupted' ? 'was interrupted' : 'is done';
    case 'session-ended': {
      const { status, exitCode } = happening.session;
      if (status === 'interrupted') return 'was interrupted';
      return exitCode === null || exitCode === 0 ? 'ended' : `ended with code ${exitCode}`;
    }
  }
}
