import type { LogEvent } from '../../src-shared/events.ts';
import { newEvent } from '../../src-shared/events.ts';
import { NO_SEQ, type RunId, type Seq } from '../../src-shared/ids.ts';
import { type ChainHash, hashFromHex, hashOfStored, hashToHex, NO_HASH } from './chain.ts';
import { NOT_HERE_YET } from './gaps.ts';
import type { ChainedEvent, ChainedGap, ChainedPage, LostRun, ReplicaAppend } from './store.ts';
import { StoreError } from './store-error.ts';

/** The log of a session as a list, with the rules of the store in SQLite; for simulations. */
interface StoredEvent {
  readonly event: LogEvent;
  readonly isJson: boolean;
  readonly bytes: Buffer;
  readonly hash: ChainHash;
}
interface StoredGap {
  readonly gap: Omit<ChainedGap, 'hash'>;
  readonly hash: ChainHash | null;
}
export type Item = StoredEvent | StoredGap;

export const isGap = (item: Item): item is StoredGap => 'gap' in item;
const firstOf = (item: Item): number => (isGap(item) ? item.gap.fromSeq : item.event.seq);
export const lastOf = (item: Item): Seq => (isGap(item) ? item.gap.toSeq : item.event.seq);
const epochOf = (item: Item): number => (isGap(item) ? item.gap.epoch : item.event.epoch);

/** An event as readers see it; a gap stands at the end of its run. */
export function shown(runId: RunId, item: Item): LogEvent {
  if (!isGap(item)) return item.event;
  const { fromSeq, toSeq, epoch, ts, bytes, reason } = item.gap;
  return { runId, seq: toSeq, epoch, ts, ...newEvent('system:status', 'gap', { fromSeq, toSeq, bytes, reason }) };
}

function refuse(message: string): never {
  throw new StoreError('not-continuing', message);
}

function stored(event: LogEvent, previous: ChainHash): StoredEvent {
  const { seq, epoch, ts, channel, type, payload } = event;
  const isJson = !(payload instanceof Uint8Array);
  const bytes = Buffer.from(payload instanceof Uint8Array ? payload : JSON.stringify(payload));
  const hash = hashOfStored(previous, { seq, epoch, ts, channel, type, payload: isJson ? bytes.toString() : bytes });
  return { event, isJson, bytes, hash };
}

export function continued(items: readonly Item[], events: readonly LogEvent[]): readonly Item[] {
  const all = [...items];
  for (const event of events) {
    const last = all.at(-1);
    const lastSeq = last === undefined ? NO_SEQ : lastOf(last);
    if (event.seq !== lastSeq + 1) refuse(`Cannot append event ${event.seq}: the log ends at ${lastSeq}.`);
    if (last !== undefined && event.epoch < epochOf(last)) refuse(`Cannot append event ${event.seq}: its epoch is over.`);
    all.push(stored(event, last === undefined ? NO_HASH : (last.hash ?? NO_HASH)));
  }
  return all;
}

export function continuedReplica(
  items: readonly Item[],
  events: readonly LogEvent[],
  { gaps, headHash }: ReplicaAppend,
): readonly Item[] {
  let all = items;
  let rest = events;
  for (const { hash, ...gap } of gaps) {
    const before = rest.filter(({ seq }) => seq < gap.fromSeq);
    rest = rest.slice(before.length);
    all = continued(all, before);
    const last = all.at(-1);
    const lastSeq = last === undefined ? NO_SEQ : lastOf(last);
    if (gap.fromSeq !== lastSeq + 1) refuse(`Cannot append a gap from ${gap.fromSeq}: the log ends at ${lastSeq}.`);
    all = [...all, { gap, hash: hash === null ? null : hashFromHex(hash) }];
  }
  all = continued(all, rest);
  const hash = all.at(-1)?.hash ?? NO_HASH;
  if (headHash !== null && hash !== hashFromHex(headHash)) throw new StoreError('forked', 'There are two histories.');
  return all;
}

export function filled(items: readonly Item[], piece: readonly LogEvent[] | LostRun): readonly Item[] {
  const at = items.findIndex((item) => isGap(item) && item.gap.reason === NOT_HERE_YET);
  const missing = items[at];
  if (missing === undefined || !isGap(missing)) refuse('Cannot fill in the log: nothing of it is missing.');
  const before = items.slice(0, at);
  const { gap, hash } = missing;
  const isRun = 'toSeq' in piece;
  if (isRun && piece.fromSeq !== gap.fromSeq) refuse(`Cannot fill in from event ${piece.fromSeq}.`);
  const added: readonly Item[] = isRun ? [...before, { gap: piece, hash: hashFromHex(piece.hash) }] : continued(before, piece);
  const lastSeq = lastOf(added.at(-1) as Item);
  if (lastSeq > gap.toSeq) refuse(`Cannot fill in event ${lastSeq}: it is here.`);
  const behind = items.slice(at + 1);
  if (lastSeq < gap.toSeq) return [...added, { gap: { ...gap, fromSeq: (lastSeq + 1) as Seq }, hash }, ...behind];
  if (added.at(-1)?.hash !== hash) throw new StoreError('forked', 'What was to be filled in has another history.');
  return [...added, ...behind];
}

export function chainedPage(items: readonly Item[], after: Seq, upTo: Seq, maxBytes: number): ChainedPage {
  const found: (ChainedEvent | ChainedGap)[] = [];
  let toSeq = after;
  let bytes = 0;
  const before = items.find((item) => lastOf(item) === after);
  let headHash: ChainHash | null = after === 0 ? NO_HASH : (before?.hash ?? null);
  for (const item of items) {
    if (lastOf(item) <= after) continue;
    // Of a gap what lies behind `after`.
    const fromSeq = Math.max(firstOf(item), after + 1) as Seq;
    if (fromSeq !== toSeq + 1 || lastOf(item) > upTo) break;
    if (isGap(item)) found.push({ ...item.gap, fromSeq, hash: item.hash && hashToHex(item.hash) });
    else {
      bytes += item.bytes.byteLength;
      if (found.length > 0 && bytes > maxBytes) break;
      const { seq, epoch, ts, channel, type } = item.event;
      found.push({ seq, epoch, ts, channel, type, isJson: item.isJson, payload: item.bytes });
    }
    toSeq = lastOf(item);
    headHash = item.hash;
  }
  return { items: found, toSeq, headHash: headHash && hashToHex(headHash) };
}

const isOutput = (item: Item): item is StoredEvent => !isGap(item) && item.event.channel === 'pty:stdout';

export function outputOf(items: readonly Item[]): number {
  return items.reduce((sum, item) => sum + (isOutput(item) ? item.bytes.byteLength : 0), 0);
}

export function compacted(items: readonly Item[], keepBytes: number) {
  let excess = outputOf(items) - keepBytes;
  const kept: Item[] = [];
  let freedBytes = 0;
  let throughSeq = NO_SEQ;
  for (const [index, item] of items.entries()) {
    if (excess <= 0 || !isOutput(item) || index === items.length - 1) {
      kept.push(item);
      continue;
    }
    const { seq, ts, epoch } = item.event;
    const bytes = item.bytes.byteLength;
    excess -= bytes;
    freedBytes += bytes;
    throughSeq = seq;
    const last = kept.at(-1);
    const run = last !== undefined && isGap(last) && last.gap.reason === 'quota' ? last.gap : null;
    if (run !== null) kept.pop();
    const gap = { fromSeq: run?.fromSeq ?? seq, toSeq: seq, ts, epoch, bytes: (run?.bytes ?? 0) + bytes, reason: 'quota' };
    kept.push({ gap, hash: item.hash });
  }
  return { items: kept, freedBytes, throughSeq };
}
