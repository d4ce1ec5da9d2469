import type { LogEvent } from '../../src-shared/events.ts';
import { NO_SEQ, type RunId, type Seq } from '../../src-shared/ids.ts';
import type { Store } from '../store/store.ts';

const PAGE = { limit: 500, maxBytes: 2 * 1024 * 1024 };

/** The stored events of a session, page by page, in order. */
export async function* readLog(
  store: Pick<Store, 'read'>,
  query: {
    readonly runId: RunId;
    readonly after?: Seq | undefined;
    readonly upTo?: Seq | undefined;
    readonly channels?: readonly string[] | undefined;
  },
): AsyncGenerator<LogEvent> {
  const { runId, after = NO_SEQ, upTo, channels } = query;
  const range = { ...(upTo === undefined ? {} : { upTo }), ...(channels === undefined ? {} : { channels }) };
  for (let cursor = after; ; ) {
    const events = await store.read({ runId, ...PAGE, ...range, after: cursor });
    yield* events;
    const last = events.at(-1);
    if (last === undefined) return;
    cursor = last.seq;
  }
}
