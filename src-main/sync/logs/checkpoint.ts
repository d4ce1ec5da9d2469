import type { MachineId, RunId } from '../../../src-shared/ids.ts';
import { EMPTY_STREAM, receiveBatch } from '../../../src-shared/receive-batch.ts';
import { Checkpoint } from '../../../src-shared/replication.ts';
import { decodeJson, parseAs } from '../../../src-shared/values.ts';
import type { SyncContext } from '../sync-context.ts';
import { pack, unpack } from './log-payload.ts';

/**
 * Where a machine that has nothing of a session begins, so that it need not read all of its past first: the newest checkpoint that its
 * host has left at the relay, in a stream of its own that each replaces.
 */
export function streamOfCheckpoint({ keyring }: Pick<SyncContext, 'keyring'>, runId: RunId): string {
  return keyring.streamName('checkpoint', runId);
}

export function encodeCheckpoint(checkpoint: Checkpoint): Promise<Uint8Array> {
  return pack(new TextEncoder().encode(JSON.stringify(checkpoint)));
}

export async function decodeCheckpoint(payload: Uint8Array): Promise<Checkpoint> {
  return parseAs(Checkpoint, decodeJson(new TextDecoder().decode(await unpack(payload))));
}

/** Null: its host has left none. Rejects where what is there is not its host's, or no checkpoint. */
export async function readCheckpoint(context: SyncContext, runId: RunId, host: MachineId): Promise<Checkpoint | null> {
  const answer = await context.link.ask({ type: 'stream:page', stream: streamOfCheckpoint(context, runId), after: 0 });
  const newest = answer.type === 'page' ? answer.batches.at(-1) : undefined;
  return newest === undefined ? null : openCheckpoint(context, newest.frame, host);
}

/** Rejects what is not this host's, or no checkpoint. */
export async function openCheckpoint(
  { membership, keyring }: Pick<SyncContext, 'membership' | 'keyring'>,
  frame: Uint8Array,
  host: MachineId,
): Promise<Checkpoint> {
  const received = receiveBatch(frame, { membership, keyring, state: EMPTY_STREAM });
  if (received.is !== 'opened')
    throw new Error(`a checkpoint is refused: ${received.is === 'refused' ? received.why : received.is}`);
  const { header } = received.batch;
  if (header.kind !== 'index' || header.machine !== host) throw new Error('a checkpoint is not its host’s');
  return decodeCheckpoint(received.payload);
}
