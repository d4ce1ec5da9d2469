import type { Database } from 'better-sqlite3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogEvent } from '../../src-shared/events.ts';
import { FIRST_EPOCH, Seq } from '../../src-shared/ids.ts';
import { openLog } from './damage.ts';
import { openForReading } from './database.ts';
import { unpackEvents } from './event-page.ts';
import { addGap } from './gaps.ts';
import type { ReadQuery } from './messages.ts';
import { Reader } from './reader.ts';
import { MAX_SEQ, rowId } from './row-id.ts';
import { create, json, numbered, output, runIdOf, temporaryFolder } from './store.fixture.ts';
import { Writer } from './writer.ts';

const EVENTS = 400;
const folder = temporaryFolder();
const runId = runIdOf(2);
const CHANNELS = ['pty:stdout', 'pty:resize', 'run:prompt', 'system:status'];

/** Neighbours in the same file, so that a range that leaks would show. */
const made = Array.from({ length: EVENTS }, (_, index) => {
  const channel = CHANNELS[(index * 7) % 5] ?? 'pty:stdout';
  return channel === 'pty:stdout'
    ? output(`${index} `.repeat(1 + ((index * 37) % 200)))
    : json({ index }, channel, `type-${index % 3}`);
});
/** Runs that are gone: at the beginning, in the middle, and two side by side. */
const gone = [
  { fromSeq: 1, toSeq: 3 },
  { fromSeq: 100, toSeq: 180 },
  { fromSeq: 250, toSeq: 250 },
  { fromSeq: 251, toSeq: 260 },
].map((run, index) => ({ ...run, ts: 5, epoch: 1, bytes: 10 * (index + 1), reason: `reason ${index}`, hash: null }));

let db: Database;
let reader: Reader;

beforeAll(() => {
  db = openLog(folder.file).db;
  const writer = new Writer(db, folder.file);
  create(writer, 1, [output('before')]);
  create(writer, 2, made);
  create(writer, 3, [output('after')]);
  for (const run of gone) {
    db.prepare('DELETE FROM events WHERE id BETWEEN ? AND ?').run(rowId(2, run.fromSeq), rowId(2, run.toSeq));
    addGap(db, 2, run);
  }
  reader = new Reader(openForReading(folder.file), folder.file);
});

afterAll(() => {
  db.close();
  folder.remove();
});

const whole: readonly LogEvent[] = numbered(runId, 1, made);
const sizeOf = (event: LogEvent) =>
  event.payload instanceof Uint8Array ? event.payload.length : Buffer.byteLength(JSON.stringify(event.payload));

/** What reading must yield, said as simply as possible. */
function expected(query: ReadQuery): LogEvent[] {
  const { after, upTo, channels, fromEnd, limit, maxBytes } = query;
  const isGone = (seq: number) => gone.some((run) => run.fromSeq <= seq && seq <= run.toSeq);
  const rows = whole.filter(
    ({ seq, channel }) => seq > after && seq <= upTo && !isGone(seq) && (channels === null || channels.includes(channel)),
  );
  const showsGaps = channels === null || channels.includes('pty:stdout') || channels.includes('system:status');
  const gaps = gone
    .filter((run) => showsGaps && run.toSeq > after && run.fromSeq <= upTo)
    .map(({ fromSeq, toSeq, bytes, reason }): LogEvent => {
      const payload = { fromSeq: Math.max(fromSeq, after + 1), toSeq: Math.min(toSeq, upTo), bytes, reason };
      const event = { runId, seq: Seq.parse(payload.toSeq), epoch: FIRST_EPOCH, ts: 5, channel: 'system:status', type: 'gap' };
      return { ...event, payload };
    });
  const all = [...rows, ...gaps].sort((a, b) => (fromEnd ? b.seq - a.seq : a.seq - b.seq));
  const taken: LogEvent[] = [];
  let bytes = 0;
  for (const event of all) {
    if (event.type !== 'gap') bytes += sizeOf(event);
    // One event of any size; a gap weighs nothing.
    if (taken.length === limit || (taken.some(({ type }) => type !== 'gap') && bytes > maxBytes)) break;
    taken.push(event);
  }
  return fromEnd ? taken.reverse() : taken;
}

const queries: fc.Arbitrary<ReadQuery> = fc.record({
  key: fc.constant(2),
  after: fc.nat(EVENTS + 5),
  upTo: fc.oneof(fc.constant(MAX_SEQ), fc.nat(EVENTS + 5)),
  channels: fc.oneof(fc.constant(null), fc.subarray(['run:prompt', 'pty:stdout', 'pty:resize', 'system:status', 'nobody'])),
  limit: fc.integer({ min: 1, max: EVENTS * 2 }),
  maxBytes: fc.oneof(fc.nat(3000), fc.constant(1_000_000)),
  fromEnd: fc.boolean(),
});

describe('reading', () => {
  it('[seq-3] yields exactly the events of the range, in order, within its bounds, gaps in their places', () => {
    fc.assert(
      fc.property(queries, (query) => {
        expect(unpackEvents(runId, reader.read(query))).toEqual(expected(query));
      }),
      { numRuns: 120 },
    );
  });

  it('[seq-3] yields the whole log, each event once, when it goes on after the last one it got', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 5000 }), (limit, maxBytes) => {
        const read: LogEvent[] = [];
        for (let after = 0, page: LogEvent[]; ; after = page.at(-1)?.seq ?? after) {
          const query = { key: 2, after, upTo: MAX_SEQ, channels: null, limit, maxBytes, fromEnd: false };
          page = unpackEvents(runId, reader.read(query));
          if (page.length === 0) break;
          read.push(...page);
        }
        const all = { key: 2, after: 0, upTo: MAX_SEQ, channels: null, limit: EVENTS, maxBytes: 1e9, fromEnd: false };
        expect(read).toEqual(expected(all));
      }),
      { numRuns: 8 },
    );
  });

  it('finds the few events beside the output through their own index', () => {
    const plan = db
      .prepare(
        `EXPLAIN QUERY PLAN SELECT id FROM events INDEXED BY events_beside_output
         WHERE id BETWEEN 1 AND 2 AND channel <> 'pty:stdout' AND channel IN (SELECT value FROM json_each('[]')) ORDER BY id`,
      )
      .all()
      .map((row) => JSON.stringify(row))
      .join();
    expect(plan).toContain('USING INDEX events_beside_output');
    expect(plan).not.toContain('TEMP B-TREE FOR ORDER BY');
  });
});
