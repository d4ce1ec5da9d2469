import type { SessionSummary } from '../../src-shared/session.ts';
import { editDistance, isNear } from './edit-distance.ts';
import { EXIT, Failure } from './failure.ts';
import { oneLine } from './output.ts';

type Named = Pick<SessionSummary, 'title' | 'status' | 'createdAt'> & { readonly runId: string };

/** Letters and digits of an id's end that lists show: its beginning is the time of creation and the same for neighbours. */
const SUFFIX_CHARS = 8;

/** What lists show of an id, and what may be typed for it. */
export function shortId(runId: string): string {
  return runId.slice(-SUFFIX_CHARS);
}

/**
 * The session that `name` means: an id, a unique beginning or end of one, or a title. `-`, and nothing outside a pane, mean the
 * last one. An id goes before a title, because programs choose their own titles and could call themselves like another's id.
 */
export function findSession<S extends Named>(sessions: Iterable<S>, name: string | undefined, paneId?: string | undefined): S {
  const all = [...sessions];
  const wanted = name ?? paneId ?? '-';
  if (wanted === '-') return lastOf(all);
  const id = wanted.toLowerCase();
  const exact = all.find(({ runId }) => runId === id);
  if (exact !== undefined) return exact;
  const isIdLike = /^[0-9a-f-]+$/.test(id);
  const byId = isIdLike ? all.filter(({ runId }) => runId.startsWith(id) || runId.endsWith(id)) : [];
  if (byId.length > 0) return onlyOne(byId, wanted);
  const byTitle = all.filter(({ title }) => title === wanted);
  if (byTitle.length > 0) return onlyOne(theOneThatRuns(byTitle), wanted);
  const byLooseTitle = all.filter(({ title }) => title.toLowerCase() === id);
  if (byLooseTitle.length > 0) return onlyOne(theOneThatRuns(byLooseTitle), wanted);
  throw notFound(all, wanted);
}

const isAlive = ({ status }: Named) => status !== 'ended' && status !== 'interrupted';

/** A title is used again and again: of several the one that runs is meant, if it is one. */
function theOneThatRuns<S extends Named>(found: readonly S[]): readonly S[] {
  const alive = found.filter(isAlive);
  return alive.length === 1 ? alive : found;
}

/** The newest of those that run; where none runs, of all. */
function lastOf<S extends Named>(all: readonly S[]): S {
  const [last] = [...all].sort(
    (a, b) => Number(isAlive(b)) - Number(isAlive(a)) || b.createdAt.localeCompare(a.createdAt) || b.runId.localeCompare(a.runId),
  );
  if (last === undefined) throw new Failure(EXIT.notFound, 'There is no session.', 'Start one: baton new');
  return last;
}

function onlyOne<S extends Named>(found: readonly S[], wanted: string): S {
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  throw new Failure(EXIT.usage, `“${oneLine(wanted)}” means ${found.length} sessions: ${listed(found)}.`, 'Give more of the id.');
}

const MAX_SUGGESTIONS = 3;

function notFound(all: readonly Named[], wanted: string): Failure {
  const id = wanted.toLowerCase();
  const near = all
    .map((session) => ({ session, distance: nearness(session, id) }))
    .filter(({ distance }) => isNear(distance, id))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, MAX_SUGGESTIONS)
    .map(({ session }) => session);
  const hint =
    near.length > 0
      ? `Did you mean ${listed(near)}?`
      : all.length > 0
        ? 'baton list shows them all.'
        : 'There are none: baton new';
  return new Failure(EXIT.notFound, `There is no session “${oneLine(wanted)}”.`, hint);
}

function listed(sessions: readonly Named[]): string {
  const shown = sessions.slice(0, MAX_SUGGESTIONS).map(({ runId, title }) => `${shortId(runId)} (${oneLine(title)})`);
  return shown.join(', ') + (sessions.length > shown.length ? ' …' : '');
}

/** 0: a title that holds what was typed. Else the fewest typing errors between it and an id's beginning or end, or the title. */
function nearness({ runId, title }: Named, typed: string): number {
  const lowTitle = title.toLowerCase();
  if (lowTitle.includes(typed)) return 0;
  return Math.min(
    editDistance(runId.slice(0, typed.length), typed),
    editDistance(runId.slice(-typed.length), typed),
    editDistance(lowTitle.slice(0, 64), typed.slice(0, 64)),
  );
}
