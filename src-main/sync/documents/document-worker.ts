import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import * as Y from 'yjs';
import { type FromDocumentWorker, TOO_LONG, type ToDocumentWorker } from './document-checks.ts';
import { tryUpdate } from './update-check.ts';

/**
 * The worker thread in which updates of other machines are tried on copies of the documents, before they reach the ones that are used.
 * It may be ended at any moment.
 */
/** Processor time that an update may cost: honest ones cost a fraction. */
const UPDATE_WITHIN_MS = 1_000;
const MS_A_BYTE = 0.000_3;
/** Linux counts in hundredths of a second. */
const TICK_MS = 10;

if (parentPort === null) throw new Error('document-worker runs as a worker thread');
const port = parentPort;
const copies = new Map<number, { readonly name: string; readonly copy: Y.Doc }>();

port.on('message', (message: ToDocumentWorker) => {
  if (message.type === 'check') port.postMessage(check(message) satisfies FromDocumentWorker);
  else if (message.type === 'open') {
    const copy = new Y.Doc();
    Y.applyUpdate(copy, message.state);
    copies.set(message.document, { name: message.name, copy });
  } else if (message.type === 'change') {
    const known = copies.get(message.document);
    if (known !== undefined) Y.applyUpdate(known.copy, message.update);
  } else copies.delete(message.document);
});

function check({ check: id, document, updates }: Extract<ToDocumentWorker, { type: 'check' }>): FromDocumentWorker {
  const known = copies.get(document);
  if (known === undefined) throw new Error('an update came before its document');
  let why: string | null = null;
  let passed = 0;
  for (; passed < updates.length && why === null; passed++) {
    const update = updates[passed] as Uint8Array;
    const beforeMs = threadMs();
    why = tryUpdate(known.name, known.copy, update);
    // It would take the main thread as long.
    if (why === null && threadMs() - beforeMs > UPDATE_WITHIN_MS + MS_A_BYTE * update.byteLength) why = TOO_LONG;
  }
  if (why !== null) {
    passed -= 1;
    copies.delete(document);
  }
  const good = updates.slice(0, passed);
  const accepted = good.length === 0 ? null : Y.mergeUpdates([...good]);
  return { check: id, passed, accepted, reached: accepted === null ? [] : reachedBy(accepted), why };
}

function reachedBy(update: Uint8Array): readonly (readonly [client: number, from: number, to: number])[] {
  const { from, to } = Y.parseUpdateMeta(update);
  return [...to].map(([client, end]) => [client, from.get(client) ?? 0, end]);
}

/** What this thread has used of a processor, however busy the machine is. Where the runtime cannot tell, the time that has passed. */
function threadMs(): number {
  // Of Node 24, microseconds.
  const used = (process as { threadCpuUsage?: () => { user: number; system: number } }).threadCpuUsage?.();
  if (used !== undefined) return (used.user + used.system) / 1000;
  if (process.platform !== 'linux') return performance.now();
  const fields = readFileSync('/proc/thread-self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
