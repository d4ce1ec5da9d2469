import type { Database, Statement } from 'better-sqlite3';
import { type ChainHash, hashFromBytes, NO_HASH } from './chain.ts';

/** Where a session's log ends. */
export interface Head {
  readonly lastSeq: number;
  readonly lastTs: number;
  readonly epoch: number;
  readonly hash: ChainHash;
  /** Payload bytes of the terminal output that is still there. */
  readonly outputBytes: number;
}

interface HeadRow {
  key: number;
  last_seq: number;
  last_ts: number;
  epoch: number;
  hash: Buffer;
  output_bytes: number;
}

/** The heads of all sessions, in memory, so that an append need not look one up. What a transaction changed is undone with it. */
export class Heads {
  readonly #heads = new Map<number, Head>();
  /** What the open transaction changed, as it was before. */
  readonly #before = new Map<number, Head | undefined>();
  readonly #save: Statement;
  readonly #raiseEpoch: Statement;

  constructor(db: Database) {
    const rows = db
      .prepare<[], HeadRow>(
        `SELECT h.key, h.last_seq, h.last_ts, s.epoch, h.hash, h.output_bytes
         FROM heads h JOIN sessions s ON s.key = h.key WHERE s.deleted = 0`,
      )
      .all();
    for (const row of rows) {
      this.#heads.set(row.key, {
        lastSeq: row.last_seq,
        lastTs: row.last_ts,
        epoch: row.epoch,
        hash: hashFromBytes(row.hash),
        outputBytes: row.output_bytes,
      });
    }
    this.#save = db.prepare(
      `INSERT INTO heads (key, last_seq, last_ts, hash, output_bytes) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET
         last_seq = excluded.last_seq, last_ts = excluded.last_ts, hash = excluded.hash, output_bytes = excluded.output_bytes`,
    );
    this.#raiseEpoch = db.prepare('UPDATE sessions SET epoch = ? WHERE key = ?');
  }

  get(key: number): Head | undefined {
    return this.#heads.get(key);
  }

  create(key: number, epoch: number, createdTs: number): void {
    this.set(key, { lastSeq: 0, lastTs: createdTs, epoch, hash: NO_HASH, outputBytes: 0 });
  }

  set(key: number, head: Head): void {
    this.#remember(key);
    this.#heads.set(key, head);
  }

  remove(key: number): void {
    this.#remember(key);
    this.#heads.delete(key);
  }

  /** Writes what changed; part of the transaction. */
  flush(): void {
    for (const [key, before] of this.#before) {
      const head = this.#heads.get(key);
      if (head === undefined) continue;
      this.#save.run(key, head.lastSeq, head.lastTs, Buffer.from(head.hash, 'latin1'), head.outputBytes);
      if (before && before.epoch !== head.epoch) this.#raiseEpoch.run(head.epoch, key);
    }
  }

  committed(): void {
    this.#before.clear();
  }

  rolledBack(): void {
    for (const [key, head] of this.#before) {
      if (head) this.#heads.set(key, head);
      else this.#heads.delete(key);
    }
    this.#before.clear();
  }

  #remember(key: number): void {
    if (!this.#before.has(key)) this.#before.set(key, this.#heads.get(key));
  }
}
