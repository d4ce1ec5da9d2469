import { liveMember } from '../../../src-shared/membership.ts';
import type { AtRelay } from '../../../src-shared/replication.ts';
import { type BatchKindName, NO_BATCH_HASH } from '../../../src-shared/sealed-batch.ts';
import type { SyncContext } from '../sync-context.ts';
import { RelayRefusedError } from './link.ts';

/** What the relay has of this machine in a stream; null: it does not know the stream. */
export async function standing(
  { link, signer, membership }: Pick<SyncContext, 'link' | 'signer' | 'membership'>,
  stream: string,
  kind: BatchKindName,
): Promise<AtRelay | null> {
  try {
    const answer = await link.ask({ type: 'stream:read', stream });
    if (answer.type !== 'stream') return null;
    const own = answer.own.find((it) => it.kind === kind);
    return {
      epoch: answer.epoch,
      isHeldByUs: answer.holder === signer.machine,
      isHolderGone: answer.holder === null || liveMember(membership, answer.holder) === null,
      lastSeq: answer.lastSeq,
      lastPosition: answer.lastPosition,
      counter: own?.counter ?? 0,
      hash: own?.hash ?? NO_BATCH_HASH,
    };
  } catch (error) {
    if (error instanceof RelayRefusedError && error.why === 'unknown-stream') return null;
    throw error;
  }
}

/** Why something could not be sent. `lost`: the line. `unknown`: none of the relay's doing. */
export function whyOf(error: unknown): string {
  if (error instanceof RelayRefusedError) return error.why;
  const code = error instanceof Error && 'refusal' in error ? (error.refusal as { code?: unknown }).code : null;
  return code === 'not-ready' || code === 'queue-full' ? 'lost' : 'unknown';
}
