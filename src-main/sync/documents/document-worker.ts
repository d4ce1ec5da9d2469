import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { ToDocumentWorker } from './document-checks.ts';
import { DocumentCopies } from './document-copies.ts';

/** The worker thread in which updates of other machines are tried. It may be ended at any moment. */
/** Linux counts in hundredths of a second. */
const TICK_MS = 10;

if (parentPort === null) throw new Error('document-worker runs as a worker thread');
const port = parentPort;
const copies = new DocumentCopies(threadMs);

port.on('message', (message: ToDocumentWorker) => {
  const answer = copies.take(message);
  if (answer !== null) port.postMessage(answer);
});

/** What this thread has used of a processor, however busy the machine is. Where the runtime cannot tell, the time that has passed. */
function threadMs(): number {
  // Of Node 24, microseconds.
  const used = (process as { threadCpuUsage?: () => { user: number; system: number } }).threadCpuUsage?.();
  if (used !== undefined) return (used.user + used.system) / 1000;
  if (process.platform !== 'linux') return performance.now();
  const fields = readFileSync('/proc/thread-self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
