import type { RunId } from '../../../src-shared/ids.ts';
import { EMPTY_STREAM, receiveBatch, type StreamState } from '../../../src-shared/receive-batch.ts';
import { concat, digest, toHex } from '../../../src-shared/seal.ts';
import type { SyncContext } from '../sync-context.ts';

/**
 * An event that no batch holds (a prompt with pictures) travels beside its log, in pieces: a stream of its own, of kind `document`, whose
 * batches are the pieces in order. The log's batch names how large it is and the hash of the whole.
 */
/** A larger one is refused. */
export const MAX_LARGE_BYTES = 64 * 1024 * 1024;

export interface LargePayload {
  readonly bytes: number;
  /** BLAKE2b-256, as hex. */
  readonly hash: string;
}

export const describeLarge = (payload: Uint8Array): LargePayload => ({
  bytes: payload.byteLength,
  hash: toHex(digest(payload)),
});

export function streamOfLarge({ keyring }: Pick<SyncContext, 'keyring'>, runId: RunId, seq: number): string {
  return keyring.streamName('piece', `${runId}:${seq}`);
}

/** From piece `from` on; nothing where all of them were cut. */
export function* piecesOf(payload: Uint8Array, from: number, pieceBytes: number): Generator<Uint8Array> {
  for (let at = from * pieceBytes; at < payload.byteLength; at += pieceBytes) yield payload.subarray(at, at + pieceBytes);
}

/** Gathers the pieces of one event. Resolves with the whole; rejects where it is not what its host named. `end` gives it up. */
export function fetchLarge(
  context: SyncContext,
  {
    stream,
    host,
    bytes,
    hash,
    lane,
  }: LargePayload & { readonly stream: string; readonly host: string; readonly lane: 'watch' | 'rest' },
): { readonly whole: Promise<Uint8Array>; readonly end: () => void } {
  const pieces: Uint8Array[] = [];
  let gathered = 0;
  let state: StreamState = EMPTY_STREAM;
  let end = () => {};
  const whole = new Promise<Uint8Array>((resolve, reject) => {
    const take = (frame: Uint8Array): void => {
      const { membership, keyring } = context;
      const received = receiveBatch(frame, { membership, keyring, state });
      if (received.is === 'repeated') return;
      if (received.is === 'refused') throw new Error(`a piece of an event is refused: ${received.why}`);
      const { header } = received.batch;
      if (header.kind !== 'document' || header.machine !== host) throw new Error('a piece of an event is not its host’s');
      state = received.state;
      pieces.push(received.payload);
      gathered += received.payload.byteLength;
      if (gathered < bytes) return;
      const all = concat(...pieces);
      if (gathered > bytes || toHex(digest(all)) !== hash) throw new Error('the pieces of an event are not what its host named');
      resolve(all);
    };
    end = context.link.follow(stream, {
      lane,
      cursor: () => pieces.length,
      onBatch: (frame) => {
        try {
          take(frame);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      },
    });
  }).finally(() => end());
  return { whole, end: () => end() };
}
