import { EventJsons } from '../../src-shared/event-json.ts';
import { NO_SEQ, type RunId, Seq } from '../../src-shared/ids.ts';
import type { ParamsOf, ResultOf } from '../../src-shared/operations.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import type { RouteCaller } from './route.ts';

/** A character has at most three bytes before the one that completes it. */
const HELD_BYTES = 3;
/** Events looked through for them at a time. */
const LOOK_BACK = 16;
const OUTPUT_CHANNELS = ['pty:stdout', 'system:status'];

type Page = ResultOf<'history.read'>;
type Source = Pick<RouteCaller, 'engine' | 'call'>;

/** A page of events as JSON shows them: as if the log had been read from its beginning. */
export async function readEvents(source: Source, params: ParamsOf<'history.read'>): Promise<Page> {
  if (params.after !== undefined) requireInLog(source, params.runId, params.after);
  const page = await source.call('history.read', params);
  const first = page.events[0];
  if (first === undefined) return page;
  const jsons = await jsonsAfter(source, params.runId, Seq.parse(first.seq - 1));
  return { ...page, events: page.events.flatMap((event) => jsons.add(event)) };
}

/** A cursor beyond the end is one of another history [seq-4]. */
export function requireInLog({ engine }: Source, runId: RunId, after: Seq): void {
  const { seq } = engine.session(runId).log.published;
  if (after <= seq) return;
  throw new RefusalError(
    'unknown-target',
    `The log has no event ${after}: it ends at ${seq}.`,
    'Read it again from its beginning.',
  );
}

/** What shows the events that follow `after`: a character that was cut there is completed by what comes. */
export async function jsonsAfter(source: Source, runId: RunId, after: Seq): Promise<EventJsons> {
  const output: Page['events'] = [];
  let bytes = 0;
  for await (const event of backwards(source, runId, after)) {
    // A program that has ended completes nothing.
    if (event.type === 'exited') break;
    if (!(event.payload instanceof Uint8Array)) continue;
    output.unshift(event);
    bytes += event.payload.length;
    if (bytes >= HELD_BYTES) break;
  }
  return new EventJsons(output);
}

/** Output and status, from event `from` back: what is in memory may not be stored yet, what is stored may have left memory. */
async function* backwards({ engine, call }: Source, runId: RunId, from: Seq): AsyncGenerator<Page['events'][number]> {
  const back = Seq.parse(Math.max(NO_SEQ, from - LOOK_BACK));
  const recent =
    engine
      .session(runId)
      .log.recent(back, Number.POSITIVE_INFINITY)
      ?.filter(({ seq }) => seq <= from) ?? [];
  yield* recent.toReversed();
  for (let next = recent[0]?.seq ?? from + 1; next > 1; ) {
    const { events } = await call('history.read', {
      runId,
      before: Seq.parse(next),
      limit: LOOK_BACK,
      channels: OUTPUT_CHANNELS,
    });
    const [first] = events;
    if (first === undefined) return;
    yield* events.toReversed();
    next = first.seq;
  }
}
