import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { whyNotValid } from '../../../src-shared/workspace-documents.ts';

/** Types that lie in a document by a name of their own. This version knows four; Yjs looks at all of them for whatever it encodes. */
const MAX_ROOTS = 64;
/** Operations of one client. What is added up beyond 2^53 is no number any more. */
const MAX_CLOCK = 2 ** 40;

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
  copy.on('update', asWhereItIsUsed);
  try {
    const whyNot = whyOutOfBounds(update);
    if (whyNot !== null) return whyNot;
    const decoder = decoding.createDecoder(update);
    // V1 only: the other format lets a few bytes stand for billions.
    Y.readUpdate(decoder, copy, null);
    if (decoding.hasContent(decoder)) return 'it goes on behind its end';
    if (copy.share.size > MAX_ROOTS) return 'too many types lie in it';
    return whyIncomplete(copy) ?? whyNotValid(name, copy, changed);
  } catch (error) {
    return `it is no update: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    copy.off('afterTransaction', note);
    copy.off('update', asWhereItIsUsed);
  }
}

/** The document that is used writes each update down: encoding it may fail, and is most of what some cost. */
function asWhereItIsUsed(): void {}

/** What costs far more to have than to say is found before anything is made of it. */
function whyOutOfBounds(update: Uint8Array): string | null {
  const roots = new Set<unknown>();
  for (const struct of Y.decodeUpdate(update).structs) {
    if (struct.id.clock + struct.length > MAX_CLOCK) return 'its clocks are beyond all numbers';
    if (!(struct instanceof Y.Item)) continue;
    if (struct.content instanceof Y.ContentDoc) return 'it holds another document';
    const parent: unknown = struct.parent;
    if (typeof parent === 'string') roots.add(parent);
    if (roots.size > MAX_ROOTS) return 'too many types lie in it';
  }
  return null;
}

/**
 * Batches come in order, so honest machines never build on what is missing. What Yjs would keep until it comes is the one thing that two
 * machines could read differently: where it contradicts what is there, a whole document says another thing than its updates.
 */
function whyIncomplete({ store }: Y.Doc): string | null {
  return store.pendingStructs === null && store.pendingDs === null ? null : 'what it builds on is missing';
}
