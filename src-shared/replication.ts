import * as z from 'zod/mini';
import { Epoch, MachineId, RunId, Seq } from './ids.ts';
import { SessionSpec } from './session.ts';

/** What machines tell one another of their sessions, what each keeps of the others'. */

const Count = z.int().check(z.nonnegative());
const Hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));

/** What others must know of a session before they have anything of its log. */
export const CardSession = z.object({
  runId: RunId,
  spec: SessionSpec,
  epoch: Epoch,
  createdTs: z.int(),
  branchOf: z.nullable(z.object({ runId: RunId, seq: Seq })),
});
export type CardSession = z.infer<typeof CardSession>;

/** How far a session's log was followed; stored with its events. */
export const ReplicaState = z.object({
  machineId: MachineId,
  machine: z.string(),
  epoch: Count,
  holder: z.nullable(MachineId),
  lastSeq: Count,
  writers: z.array(z.object({ writer: z.string(), counter: Count, hash: Hash })),
  /** When the newest of it arrived; 0: nothing has. */
  heardMs: z.int(),
  /** Its host's log is another one: followed no more. */
  forked: z.boolean(),
});
export type ReplicaState = z.infer<typeof ReplicaState>;
