import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { whyNotValid } from '../../src-shared/workspace-documents.ts';

/** Bytes that a document may hold of changes whose predecessors are missing. Honest machines leave none, for batches come in order. */
const MAX_PENDING_BYTES = 1024 * 1024;

/**
 * Applies an update of another machine to a copy of the document. Why it is refused; null where it is not. A copy that has refused one
 * is spoilt: an update may throw half way.
 */
export function tryUpdate(name: string, copy: Y.Doc, update: Uint8Array): string | null {
  const changed = new Map<string, Set<string | null>>();
  const note = ({ changed: types }: Y.Transaction) => {
    for (const [root, type] of copy.share) {
      const keys = types.get(type as never);
      if (keys !== undefined) changed.set(root, new Set([...(changed.get(root) ?? []), ...keys]));
    }
  };
  copy.on('afterTransaction', note);
  try {
    const decoder = decoding.createDecoder(update);
    // V1 only: the other format lets a few bytes stand for billions.
    Y.readUpdate(decoder, copy, null);
    if (decoding.hasContent(decoder)) return 'it goes on behind its end';
    return whyTooMuchMissing(copy) ?? whyNotValid(name, copy, changed);
  } catch (error) {
    return `it is no update: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    copy.off('afterTransaction', note);
  }
}

function whyTooMuchMissing({ store }: Y.Doc): string | null {
  const bytes = (store.pendingStructs?.update.byteLength ?? 0) + (store.pendingDs?.byteLength ?? 0);
  return bytes <= MAX_PENDING_BYTES ? null : 'too much of what it builds on is missing';
}
