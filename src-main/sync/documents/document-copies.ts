import * as Y from 'yjs';
import { type FromDocumentWorker, TOO_LONG, type ToDocumentWorker } from './document-checks.ts';
import { tryUpdate } from './update-check.ts';

/** Processor time that an update may cost: honest ones cost a fraction. */
const UPDATE_WITHIN_MS = 1_000;
const MS_A_BYTE = 0.000_3;

/** Copies of documents, on which updates of other machines are tried before they reach the ones that are used. */
export class DocumentCopies {
  readonly #usedMs: () => number;
  readonly #copies = new Map<number, { readonly name: string; readonly copy: Y.Doc }>();

  /** `usedMs`: what has been used of a processor so far. */
  constructor(usedMs: () => number) {
    this.#usedMs = usedMs;
  }

  /** Gives the answer to a check. */
  take(message: ToDocumentWorker): FromDocumentWorker | null {
    if (message.type === 'check') return this.#check(message);
    if (message.type === 'open') {
      const copy = new Y.Doc();
      Y.applyUpdate(copy, message.state);
      this.#copies.set(message.document, { name: message.name, copy });
    } else if (message.type === 'change') {
      const known = this.#copies.get(message.document);
      if (known !== undefined) Y.applyUpdate(known.copy, message.update);
    } else this.#copies.delete(message.document);
    return null;
  }

  #check({ check: id, document, updates }: Extract<ToDocumentWorker, { type: 'check' }>): FromDocumentWorker {
    const known = this.#copies.get(document);
    if (known === undefined) throw new Error('an update came before its document');
    let why: string | null = null;
    let passed = 0;
    for (; passed < updates.length && why === null; passed++) {
      const update = updates[passed] as Uint8Array;
      const beforeMs = this.#usedMs();
      why = tryUpdate(known.name, known.copy, update);
      // It would take the main thread as long.
      if (why === null && this.#usedMs() - beforeMs > UPDATE_WITHIN_MS + MS_A_BYTE * update.byteLength) why = TOO_LONG;
    }
    if (why !== null) {
      passed -= 1;
      this.#copies.delete(document);
    }
    const good = updates.slice(0, passed);
    const accepted = good.length === 0 ? null : Y.mergeUpdates([...good]);
    return { check: id, passed, accepted, reached: accepted === null ? [] : reachedBy(accepted), why };
  }
}

function reachedBy(update: Uint8Array): readonly (readonly [client: number, from: number, to: number])[] {
  const { from, to } = Y.parseUpdateMeta(update);
  return [...to].map(([client, end]) => [client, from.get(client) ?? 0, end]);
}
