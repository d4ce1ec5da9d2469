import type { Database } from 'better-sqlite3';
import type { Epoch, Seq } from '../../src-shared/ids.ts';
import { hashFromBytes, hashToHex } from './chain.ts';
import { gapsBetween, hashAt } from './gaps.ts';
import type { ReaderCalls } from './messages.ts';
import { MAX_SEQ, rowId, seqOf } from './row-id.ts';
import type { ChainedEvent, ChainedGap, ChainedPage } from './store.ts';

const MAX_ROWS = 4_096;

interface Row {
  id: number;
  epoch: number;
  ts: number;
  channel: string;
  type: string;
  isJson: number;
  hash: Buffer;
  payload: Buffer;
}

/** Events as they are stored, the gaps in their places, and the chain's hash at the end. One consistent state. */
export function readChained(db: Database, query: ReaderCalls['chained']['params']): ChainedPage {
  return db.transaction(() => read(db, query))();
}

function read(db: Database, { key, after, upTo, maxBytes }: ReaderCalls['chained']['params']): ChainedPage {
  // Whole runs only: the chain's hash is known where a run ends, not inside it.
  const gaps = gapsBetween(db, key, after, MAX_SEQ).reverse();
  const rows = db
    .prepare<[number, number, number], Row>(
      `SELECT id, epoch, ts, channel, type, typeof(payload) = 'text' AS isJson, hash, CAST(payload AS BLOB) AS payload
       FROM events WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?`,
    )
    .iterate(rowId(key, after + 1), rowId(key, upTo), MAX_ROWS);
  const items: (ChainedEvent | ChainedGap)[] = [];
  let seq = after;
  let bytes = 0;
  const known = hashAt(db, key, after);
  let headHash = known === null ? null : hashToHex(known);
  const crossGaps = () => {
    for (let gap = gaps.at(-1); gap !== undefined && gap.fromSeq === seq + 1 && gap.toSeq <= upTo; gap = gaps.at(-1)) {
      gaps.pop();
      headHash = gap.hash === null ? null : hashToHex(gap.hash);
      items.push({ ...gap, fromSeq: gap.fromSeq as Seq, toSeq: gap.toSeq as Seq, epoch: gap.epoch as Epoch, hash: headHash });
      seq = gap.toSeq;
    }
  };
  for (const row of rows) {
    crossGaps();
    bytes += row.payload.length;
    if (seqOf(row.id) !== seq + 1 || (items.length > 0 && bytes > maxBytes)) break;
    seq++;
    headHash = hashToHex(hashFromBytes(row.hash));
    items.push({
      seq: seq as Seq,
      epoch: row.epoch as Epoch,
      ts: row.ts,
      channel: row.channel,
      type: row.type,
      isJson: row.isJson === 1,
      payload: row.payload,
    });
  }
  if (bytes <= maxBytes) crossGaps();
  return { items, toSeq: seq as Seq, headHash };
}
