import { parentPort, workerData } from 'node:worker_threads';
import type { WorkerRole } from './messages.ts';
import { runCheck } from './page-check.ts';
import { runReader } from './reader-loop.ts';
import { runIndexer } from './search-indexer.ts';
import { runWriter } from './writer-loop.ts';

/** Entry of the store's worker threads; which one this is says workerData. */
if (parentPort === null) throw new Error('store-worker is started by the store, as a worker thread');
const { role, file } = workerData as WorkerRole;
const start = { writer: runWriter, reader: runReader, check: runCheck, indexer: runIndexer }[role];
start(parentPort, file);
