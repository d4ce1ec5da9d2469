import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { whyNotValid } from '../../../src-shared/workspace-documents.ts';

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
    if (copy.subdocs.size > 0) return 'it holds another document';
    return whyIncomplete(copy) ?? whyNotValid(name, copy, changed);
  } catch (error) {
    return `it is no update: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    copy.off('afterTransaction', note);
  }
}

/**
 * Batches come in order, so honest machines never build on what is missing. What Yjs would keep until it comes is the one thing that two
 * machines could read differently: where it contradicts what is there, a whole document says another thing than its updates.
 */
function whyIncomplete({ store }: Y.Doc): string | null {
  return store.pendingStructs === null && store.pendingDs === null ? null : 'what it builds on is missing';
}
