import * as z from 'zod/mini';
import type { Json } from '../../src-shared/events.ts';
import { InputId, RunId, Seq } from '../../src-shared/ids.ts';
import { SessionSpec, SessionState } from '../../src-shared/session.ts';
import { foldState } from '../../src-shared/session-state.ts';
import type { Store } from '../store/store.ts';

/** What is kept of a session in its row, beside the log. */
export const SessionMeta = z.object({
  spec: SessionSpec,
  /** The command that created it: repeated, it finds this session again. */
  createdBy: z.nullable(InputId),
  branchOf: z.nullable(z.object({ runId: RunId, seq: Seq })),
  /** A checkpoint: folded through `stateSeq`. */
  state: SessionState,
  stateSeq: Seq,
});
export type SessionMeta = z.infer<typeof SessionMeta>;

export function metaJson(meta: SessionMeta): Json {
  return meta as unknown as Json;
}

/** Throws where the row was written by a version that this one cannot read. */
export function readMeta(stored: Json): SessionMeta {
  return SessionMeta.parse(stored);
}

const STATEFUL_CHANNELS = [
  'system:status',
  'pty:resize',
  'run:prompt',
  'run:turn',
  'run:permission',
  'claude:init',
  'claude:result',
];

/** The checkpoint is stored with the events that change it; only a newer version may find more in them than it holds. */
export async function currentState(
  store: Pick<Store, 'read'>,
  runId: RunId,
  { state: checkpoint, stateSeq }: SessionMeta,
): Promise<SessionState> {
  let state = checkpoint;
  for (let after = stateSeq; ; ) {
    const events = await store.read({ runId, after, limit: 1_000, maxBytes: 4 * 1024 * 1024, channels: STATEFUL_CHANNELS });
    const last = events.at(-1);
    if (last === undefined) return state;
    for (const event of events) state = foldState(state, event);
    after = last.seq;
  }
}
