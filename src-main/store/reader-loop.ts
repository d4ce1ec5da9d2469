import type { MessagePort } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { readChained } from './chained-read.ts';
import { markDamaged } from './damage.ts';
import { openForReading } from './database.ts';
import type { Answer, ProblemEvent, ReaderCall, ReaderCalls, ReaderMethod, ToReader, Verdict } from './messages.ts';
import { Reader } from './reader.ts';
import { Search } from './search.ts';
import { explainSqlite, failureOf, StoreError } from './store-error.ts';
import { Verification } from './verify.ts';

type Result<M extends ReaderMethod> = ReaderCalls[M]['result'];
type Answers = { [M in ReaderMethod]: (params: ReaderCalls[M]['params']) => Result<M> | Promise<Result<M>> };

/** The thread that reads. Long work is done in steps, and other calls are answered between them. */
export function runReader(port: MessagePort, file: string): void {
  let loop: ReaderLoop | null = null;
  port.on('message', (message: ToReader) => {
    switch (message.kind) {
      case 'open':
        loop = openLoop(port, file, message.callId);
        return;
      case 'ask':
        void loop?.answer(message.callId, message.call);
        return;
      case 'close':
        loop?.close();
        port.close();
        return;
    }
  });
}

function openLoop(port: MessagePort, file: string, callId: number): ReaderLoop | null {
  try {
    const loop = new ReaderLoop(openForReading(file), file, port);
    port.postMessage({ kind: 'answer', callId, outcome: { ok: true, result: null } } satisfies Answer);
    return loop;
  } catch (error) {
    const failure = failureOf(explainSqlite(error, 'open the log', file));
    port.postMessage({ kind: 'answer', callId, outcome: { ok: false, failure } } satisfies Answer);
    return null;
  }
}

class ReaderLoop {
  readonly #db: Database;
  readonly #file: string;
  readonly #port: MessagePort;
  readonly #search: Search;
  readonly #answers: Answers;
  #isClosed = false;

  constructor(db: Database, file: string, port: MessagePort) {
    this.#db = db;
    this.#file = file;
    this.#port = port;
    this.#search = new Search(db, file);
    const reader = new Reader(db, file);
    this.#answers = {
      sessions: () => reader.sessions(),
      input: (params) => reader.input(params),
      missing: (params) => reader.missing(params),
      read: (params) => reader.read(params),
      chained: (params) => readChained(db, params),
      verify: ({ key }) => this.#verify(key),
      search: (params) => this.#search.run(params),
      screen: (params) => reader.screen(params),
      outputBytes: () => reader.outputBytes(),
      layout: (params) => reader.layout(params),
      oldDrafts: () => reader.oldDrafts(),
      documents: () => reader.documents(),
      document: (params) => reader.document(params),
      outbox: () => reader.outbox(),
      fact: (params) => reader.fact(params),
      children: () => reader.children(),
      sizeBytes: () => reader.sizeBytes(),
    };
  }

  async answer<M extends ReaderMethod>(callId: number, { method, params }: ReaderCall<M>): Promise<void> {
    try {
      const result: Result<M> = await this.#answers[method](params);
      // Pages are not needed here any more.
      const transfer = method === 'read' ? (result as Result<'read'>).map(({ bytes }) => bytes.buffer) : [];
      this.#send({ kind: 'answer', callId, outcome: { ok: true, result } }, transfer);
    } catch (error) {
      this.#refuse(callId, error);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#search.close();
    this.#db.close();
  }

  async #verify(key: number): Promise<Verdict> {
    const verification = new Verification(this.#db, key);
    for (;;) {
      const verdict = verification.step();
      if (verdict !== null) return verdict;
      await this.#nextTurn();
    }
  }

  async #nextTurn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#isClosed) throw new StoreError('closed', 'The log is being closed.');
  }

  #refuse(callId: number, error: unknown): void {
    const failure = failureOf(explainSqlite(error, 'read the log', this.#file));
    if (failure.code === 'damaged') {
      markDamaged(this.#file);
      this.#send({ kind: 'problem', message: failure.message });
    }
    this.#send({ kind: 'answer', callId, outcome: { ok: false, failure } });
  }

  #send(message: Answer | ProblemEvent, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, [...transfer]);
  }
}
