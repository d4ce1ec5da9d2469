import type { LogEvent } from '../../src-shared/events.ts';
import { NO_SEQ, type RunId } from '../../src-shared/ids.ts';
import { type ParamsOf, type ResultOf, TITLE_CHANNEL } from '../../src-shared/operations.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import type { Store } from '../store/store.ts';
import type { Clients } from './clients.ts';
import type { OperationHandlers } from './connection.ts';
import type { EngineSession } from './engine-session.ts';
import type { Following } from './following.ts';
import { expandHome } from './home-folder.ts';
import { RemoteSession } from './remote-session.ts';
import type { Screens } from './screen/screen.ts';
import type { Session } from './session.ts';
import type { SessionDocuments } from './session-documents.ts';
import { namedTitle } from './session-title.ts';

const MAX_PAGE_BYTES = 4 * 1024 * 1024;
const MAX_LAYOUT_CHARS = 1_000_000;

/** Where the local HTTP server listens. */
export interface ServerAddress {
  readonly port: number;
  readonly url: string;
}

/** What the operations need of the engine. */
export interface OperationsTarget {
  /** Those that run here. */
  readonly hosted: ReadonlyMap<RunId, Session>;
  readonly startedAt: string;
  readonly version: string;
  readonly home: string;
  readonly clients: Clients;
  readonly wires: Readonly<Record<string, number>>;
  readonly machine: { readonly machineId: ResultOf<'engine.status'>['machineId']; readonly name: string };
  readonly following: Following;
  summaries(): ResultOf<'session.list'>['sessions'];
  session(runId: RunId): EngineSession;
  create(
    inputId: ParamsOf<'session.create'>['inputId'],
    spec: ParamsOf<'session.create'>['spec'],
    options: { readonly title: string | null; readonly branchOf?: ReturnType<Session['summary']>['branchOf'] },
  ): Promise<Session>;
  delete(runId: RunId): Promise<void>;
}

interface OperationsParts {
  readonly store: Store;
  readonly screens: Screens;
  readonly documents: SessionDocuments;
  readonly serverAddress: () => ServerAddress | null;
}

/** The engine's share of the one table of operations. */
export function engineOperations(
  engine: OperationsTarget,
  { store, screens, documents, serverAddress }: OperationsParts,
): OperationHandlers {
  return {
    'session.list': async () => ({ sessions: engine.summaries() }),
    'session.get': async ({ runId }) => {
      const session = engine.session(runId);
      return { session: session.summary(), state: session.log.published.state, spec: session.spec };
    },
    'session.create': async ({ inputId, spec, title }) => ({
      session: (await engine.create(inputId, { ...spec, cwd: expandHome(spec.cwd) }, { title })).summary(),
    }),
    'session.rename': async ({ runId, title }) => {
      await documents.setTitle(engine.session(runId).runId, title === '' ? null : title);
      return {};
    },
    'session.follow': async ({ runId, machineId = engine.machine.machineId, follows }) => {
      await engine.following.choose(engine.session(runId).runId, machineId, follows);
      return {};
    },
    'session.delete': async ({ runId }) => {
      await engine.delete(runId);
      return {};
    },
    'session.fork': async ({ inputId, runId, seq }) => {
      const session = engine.session(runId);
      if (session instanceof RemoteSession) {
        const { session: forked } = await session.call('session.fork', { inputId, runId, seq });
        return {
          session: { ...forked, remote: { connection: 'behind', behindBytes: null, heardAt: null, historyComplete: true } },
        };
      }
      const { spec, log } = session;
      const { state } = log.published;
      if (spec.kind !== 'claude') throw new RefusalError('unsupported', 'Only a conversation can be forked.');
      if (seq > log.published.seq) throw new RefusalError('bad-request', `The session has no event ${seq}.`);
      const branchOf = { runId, seq };
      const named = namedTitle(state, documents.title(runId));
      const title = named === null ? null : `${named} (fork)`;
      const forked = { ...spec, model: state.claude?.model ?? spec.model, cwd: state.cwd, forkOf: branchOf };
      return { session: (await engine.create(inputId, forked, { title, branchOf })).summary() };
    },
    'history.read': (params) => readHistory(engine, store, params),
    'history.lines': async ({ runId, ...wanted }, { signal }) => {
      const session = engine.session(runId);
      if (session.spec.kind !== 'pty') throw new RefusalError('unsupported', 'Only a terminal has lines.');
      const { lines, ...page } = await screens.history(session.screen.historySource(), wanted, signal);
      return { lines: [...lines], ...page };
    },
    'history.search': async ({ query, runId, limit, cursor }) => {
      const scope = { ...(runId === undefined ? {} : { runId }), ...(cursor === undefined ? {} : { cursor }) };
      const named = cursor === undefined ? namedLike(engine, documents, query, runId).slice(0, limit - 1) : [];
      const { hits, cursor: next } = await store.search({ query, limit: limit - named.length, ...scope });
      return { hits: [...named, ...hits], cursor: next };
    },
    'layout.get': async ({ clientId }) => ({ layout: (await store.getLayout(clientId)) as ResultOf<'layout.get'>['layout'] }),
    'layout.set': async ({ clientId, layout }) => {
      if (JSON.stringify(layout).length > MAX_LAYOUT_CHARS)
        throw new RefusalError('too-large', 'The layout is larger than 1 MB.');
      await store.setLayout(clientId, layout);
      return {};
    },
    'draft.get': ({ runId }) => documents.text(engine.session(runId).runId, 'draft'),
    'draft.set': ({ runId, text, base }) => documents.setText(engine.session(runId).runId, 'draft', text, base ?? null),
    'notes.get': ({ runId }) => documents.text(engine.session(runId).runId, 'notes'),
    'notes.set': ({ runId, text, base }) => documents.setText(engine.session(runId).runId, 'notes', text, base ?? null),
    'engine.status': async () => ({
      machineId: engine.machine.machineId,
      machine: engine.machine.name,
      version: engine.version,
      pid: process.pid,
      startedAt: engine.startedAt,
      home: engine.home,
      clients: Object.values(engine.wires).reduce((sum, wires) => sum + wires, 0),
      running: [...engine.hosted.values()].filter((session) => session.isRunning).length,
      logBytes: await store.sizeBytes(),
      port: serverAddress()?.port ?? null,
      url: serverAddress()?.url ?? null,
    }),
    'clients.list': async () => ({ clients: engine.clients.list() }),
    'clients.disconnect': async (target, { clientId }) => ({ disconnected: engine.clients.disconnect(target, clientId) }),
  };
}

/** Sessions whose title, as a user gave it, holds the text: no log has it. The one used last comes first. */
function namedLike(
  engine: OperationsTarget,
  documents: SessionDocuments,
  query: string,
  only: RunId | undefined,
): ResultOf<'history.search'>['hits'] {
  const pattern = new RegExp(query.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'iu');
  const sessions = only === undefined ? engine.summaries() : [engine.session(only).summary()];
  return sessions
    .sort((a, b) => b.lastActivityAt.localeCompare(a.lastActivityAt))
    .flatMap(({ runId, lastSeq, lastActivityAt }) => {
      const title = documents.title(runId) ?? '';
      const found = pattern.exec(title);
      if (found === null) return [];
      const [match] = found;
      const [before, after] = [title.slice(0, found.index), title.slice(found.index + match.length)];
      return [{ runId, seq: lastSeq, ts: Date.parse(lastActivityAt), channel: TITLE_CHANNEL, before, match, after }];
    });
}

async function readHistory(
  engine: OperationsTarget,
  store: Store,
  { runId, after, before, limit, channels }: ParamsOf<'history.read'>,
): Promise<ResultOf<'history.read'>> {
  if (after !== undefined && before !== undefined) throw new RefusalError('bad-request', 'Give `after` or `before`, not both.');
  const { log } = engine.session(runId);
  const page = { runId, limit: limit + 1, maxBytes: MAX_PAGE_BYTES, ...(channels === undefined ? {} : { channels }) };
  const found =
    after === undefined
      ? await store.readBack({ ...page, ...(before === undefined ? {} : { before }) })
      : await store.read({ ...page, after });
  const more = found.length > limit;
  const events = more ? (after === undefined ? found.slice(1) : found.slice(0, limit)) : found;
  const first = events[0];
  const last = events.at(-1);
  return {
    events: [...(events as readonly LogEvent[])],
    firstSeq: first?.seq ?? NO_SEQ,
    lastSeq: last?.seq ?? NO_SEQ,
    // A page may also have been cut by its bytes.
    more:
      more ||
      (after === undefined
        ? (first?.seq ?? 1) > 1 && channels === undefined
        : (last?.seq ?? log.published.seq) < log.published.seq && channels === undefined),
  };
}
