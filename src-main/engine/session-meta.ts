import * as z from 'zod/mini';
import type { Json } from '../../src-shared/events.ts';
import { InputId, RunId, Seq } from '../../src-shared/ids.ts';
import { SessionSpec, SessionState } from '../../src-shared/session.ts';

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
