import type { RunId } from '../../src-shared/ids.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import type { Engine } from '../engine/engine.ts';
import { type EventStream, frameOf } from './event-stream.ts';

/** Encoded once for all readers: the engine hands the same summary to each of them. */
const frames = new WeakMap<SessionSummary, Buffer>();

/**
 * The list of sessions, then every change of it. This is state, not a log: a reader that is behind gets the newest of each session
 * and not what was in between, and one that comes back gets the list anew.
 */
export function streamSessions(engine: Engine, stream: EventStream): void {
  /** What the reader has not been told; null: removed. */
  const untold = new Map<RunId, SessionSummary | null>();
  const tell = (runId: RunId, session: SessionSummary | null) =>
    stream.write(session === null ? removed(runId) : changed(session));
  const note = (runId: RunId, session: SessionSummary | null) => {
    if (stream.isFull || untold.size > 0) untold.set(runId, session);
    else tell(runId, session);
  };
  const stops = [engine.onSession((session) => note(session.runId, session)), engine.onRemoved((runId) => note(runId, null))];
  stream.onDrain = () => {
    for (const [runId, session] of untold) {
      if (stream.isFull) return;
      untold.delete(runId);
      tell(runId, session);
    }
  };
  stream.onEnd = () => {
    for (const stop of stops) stop();
  };
  stream.write(Buffer.from(frameOf({ type: 'sessions', sessions: engine.summaries() })));
  if (stream.isOver) stream.onEnd();
}

function changed(session: SessionSummary): Buffer {
  const frame = frames.get(session) ?? Buffer.from(frameOf({ type: 'session:changed', session }));
  frames.set(session, frame);
  return frame;
}

function removed(runId: RunId): Buffer {
  return Buffer.from(frameOf({ type: 'session:removed', runId }));
}
