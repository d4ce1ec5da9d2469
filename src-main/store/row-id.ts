import type { Seq } from '../../src-shared/ids.ts';

/**
 * One integer is the whole address of an event: the session's key in the upper bits, seq in the lower 32. It is the rowid, so a
 * session's events lie together and in order, without a second tree. Exact as a double up to MAX_SESSION_KEY.
 */
export const SEQ_SPAN = 2 ** 32;
export const MAX_SESSION_KEY = 2 ** 21 - 1;
export const MAX_SEQ = SEQ_SPAN - 1;

export function rowId(key: number, seq: number): number {
  return key * SEQ_SPAN + seq;
}

export function keyOf(id: number): number {
  return Math.floor(id / SEQ_SPAN);
}

export function seqOf(id: number): Seq {
  return (id % SEQ_SPAN) as Seq;
}

/** A row of the table `events` as SQLite returns it. */
export interface StoredRow {
  readonly id: number;
  readonly ts: number;
  readonly epoch: number;
  readonly channel: string;
  readonly type: string;
  readonly hash: Buffer;
  readonly payload: string | Buffer;
}
