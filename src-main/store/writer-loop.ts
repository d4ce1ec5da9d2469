import type { MessagePort } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import type { RunId, Seq } from '../../src-shared/ids.ts';
import { markDamaged, openLog } from './damage.ts';
import type { Answer, Batch, Compacted, OpenedLog, ToWriter, WriterEvent } from './messages.ts';
import { explainSqlite, failureOf } from './store-error.ts';
import { Compaction, removeDeleted, shrink } from './trim.ts';
import { checkpoint, Writer } from './writer.ts';

/** About what a chore's step adds to the WAL. */
const CHORE_STEP_BYTES = 1024 * 1024;

/** Something that is done step by step between batches. false: it is done. */
type Chore = () => boolean;

type Send = (message: Answer | WriterEvent, transfer?: readonly ArrayBuffer[]) => void;

/** The thread that writes: batches as they come, and between them one step of whatever waits. */
export function runWriter(port: MessagePort, file: string): void {
  let loop: WriterLoop | null = null;
  port.on('message', (message: ToWriter) => {
    switch (message.kind) {
      case 'open':
        loop = openLoop(port, file, message.callId);
        return;
      case 'batch':
        loop?.write(message.batch);
        return;
      case 'compact':
        loop?.compact(message.callId, message.key, message.keepBytes);
        return;
      case 'close':
        loop?.close();
        port.close();
        return;
    }
  });
}

function openLoop(port: MessagePort, file: string, callId: number): WriterLoop | null {
  const send: Send = (message, transfer = []) => port.postMessage(message, [...transfer]);
  try {
    const { db, recovered, wasUnclean } = openLog(file);
    // So that all that is there may be called durable.
    if (wasUnclean) checkpoint(db, 'PASSIVE');
    const loop = new WriterLoop(db, file, send);
    const result: OpenedLog = { ...contentsOf(db), recovered, wasUnclean };
    send({ kind: 'answer', callId, outcome: { ok: true, result } });
    return loop;
  } catch (error) {
    send({ kind: 'answer', callId, outcome: { ok: false, failure: failureOf(explainSqlite(error, 'open the log', file)) } });
    return null;
  }
}

function contentsOf(db: Database): Pick<OpenedLog, 'sessions' | 'nextKey'> {
  const sessions = db
    .prepare<[], { runId: RunId; key: number; lastSeq: Seq }>(
      'SELECT s.run_id AS runId, s.key, h.last_seq AS lastSeq FROM sessions s JOIN heads h ON h.key = s.key WHERE s.deleted = 0',
    )
    .all();
  const highest = db.prepare<[], { key: number | null }>('SELECT max(key) AS key FROM sessions').get()?.key ?? 0;
  return { sessions, nextKey: highest + 1 };
}

class WriterLoop {
  readonly #db: Database;
  readonly #file: string;
  readonly #writer: Writer;
  readonly #send: Send;
  readonly #chores: Chore[] = [];
  #scheduled: NodeJS.Immediate | null = null;

  constructor(db: Database, file: string, send: Send) {
    this.#db = db;
    this.#file = file;
    this.#writer = new Writer(db, file);
    this.#send = send;
    this.#removeDeleted();
  }

  write(batch: Batch): void {
    const result = this.#writer.write(batch);
    this.#send({ kind: 'committed', result, bytes: batch.bytes }, [batch.bytes.buffer]);
    for (const failure of result.failures.values()) if (failure.code === 'damaged') this.#damaged(failure.message);
    if (batch.extras.some((extra) => extra.op === 'delete')) this.#removeDeleted();
    this.#checkpoint();
  }

  compact(callId: number, key: number, keepBytes: number): void {
    let compaction: Compaction | null = null;
    this.#add(() => {
      try {
        compaction ??= new Compaction(this.#db, this.#writer, key, keepBytes);
        if (compaction.step()) return true;
        const { freedBytes, throughSeq } = compaction;
        const result: Compacted = { freedBytes, throughSeq };
        this.#send({ kind: 'answer', callId, outcome: { ok: true, result } });
      } catch (error) {
        const failure = failureOf(explainSqlite(error, 'compact terminal output', this.#file));
        if (failure.code === 'damaged') markDamaged(this.#file);
        this.#send({ kind: 'answer', callId, outcome: { ok: false, failure } });
      }
      return false;
    });
    this.#shrink();
  }

  close(): void {
    if (this.#scheduled !== null) clearImmediate(this.#scheduled);
    try {
      checkpoint(this.#db, 'TRUNCATE');
    } catch (error) {
      // What is committed stands in the WAL, which the next start reads.
      this.#explain(error, 'write the log back into its file');
    }
    this.#db.close();
  }

  #removeDeleted(): void {
    this.#add(() => this.#guarded('remove deleted sessions from the log', () => removeDeleted(this.#db, this.#writer)));
    this.#shrink();
  }

  #shrink(): void {
    this.#add(() => this.#guarded('give free space back to the disk', () => shrink(this.#db)));
  }

  #add(chore: Chore): void {
    this.#chores.push(chore);
    this.#scheduled ??= setImmediate(() => this.#step());
  }

  #step(): void {
    const [chore] = this.#chores;
    this.#scheduled = chore === undefined ? null : setImmediate(() => this.#step());
    if (chore === undefined) return;
    this.#writer.noteWritten(CHORE_STEP_BYTES);
    if (!chore()) this.#chores.shift();
    this.#checkpoint();
  }

  /** A chore that nobody waits for: given up until the next start when it fails, and said. */
  #guarded(doing: string, step: Chore): boolean {
    try {
      return step();
    } catch (error) {
      this.#explain(error, doing);
      return false;
    }
  }

  #checkpoint(): void {
    try {
      if (this.#writer.checkpointIfDue()) this.#send({ kind: 'synced' });
    } catch (error) {
      // The commits stand in the WAL; the next checkpoint takes them along.
      this.#explain(error, 'write the log back into its file');
    }
  }

  #explain(error: unknown, doing: string): void {
    const { code, message } = failureOf(explainSqlite(error, doing, this.#file));
    if (code === 'damaged') this.#damaged(message);
    else this.#send({ kind: 'problem', message });
  }

  #damaged(message: string): void {
    markDamaged(this.#file);
    this.#send({ kind: 'problem', message });
  }
}
