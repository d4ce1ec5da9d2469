import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { expect } from 'vitest';
import * as Y from 'yjs';
import { readBatch } from '../../src-shared/sealed-batch.ts';
import type { RelayProcess } from '../relay/relay.fixture.ts';
import { openForReading } from '../store/database.ts';
import { SEQ_SPAN } from '../store/row-id.ts';
import { Verification } from '../store/verify.ts';
import type { MachineGround } from './machines.fixture.ts';

/** How long machines may take until they are at rest. */
const REST_WITHIN_MS = 60_000;
/** Events that say that something a user asked for was done: of each inputId there is one. */
const DONE_ONCE = ['run:prompt queued', 'run:prompt accepted', 'run:permission answered', 'run:input executed'];

interface SessionRow {
  readonly key: number;
  readonly run_id: string;
  readonly epoch: number;
  readonly last_seq: number;
  readonly replica_json: string | null;
}
interface EventRow {
  readonly seq: number;
  readonly epoch: number;
  readonly channel: string;
  readonly type: string;
  readonly hash: Buffer;
  readonly input: string | null;
}

/** One session on one machine, as its store has it. */
interface Log {
  readonly machine: number;
  readonly isHosted: boolean;
  readonly lastSeq: number;
  /** By seq; those that stand in a gap are not there. */
  readonly hashes: ReadonlyMap<number, string>;
}

/**
 * What holds on every machine whatever has happened, looked up in their files: logs are dense, chained and of epochs that only grow;
 * what was asked for was done once; a replica is a prefix of what its host has. Then, at rest, that logs and documents are equal
 * everywhere, and that a relay that is killed has what it acknowledged. Fails with everything that is wrong.
 */
export async function expectInvariants(machines: readonly Pick<MachineGround, 'folder'>[], relay: RelayProcess): Promise<void> {
  const giveUpAt = performance.now() + REST_WITHIN_MS;
  for (;;) {
    const { broken, unsettled, heads } = look(machines);
    expect(broken).toEqual([]);
    if (unsettled.length === 0) {
      await relay.kill();
      expect(lookAtRelay(relay, heads)).toEqual([]);
      return;
    }
    if (performance.now() > giveUpAt) expect(unsettled).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function look(machines: readonly Pick<MachineGround, 'folder'>[]) {
  const broken: string[] = [];
  const logs = new Map<string, Log[]>();
  const documents: Map<string, string>[] = [];
  machines.forEach((ground, machine) => {
    const db = openForReading(join(ground.folder, 'data', 'baton.db'));
    try {
      // One moment of it, whatever its engine does meanwhile.
      db.transaction(() => {
        for (const row of sessionsOf(db)) {
          const log = logOf(db, row, machine, (what) => broken.push(`machine ${machine}, session ${row.run_id}: ${what}`));
          logs.set(row.run_id, [...(logs.get(row.run_id) ?? []), log]);
        }
        documents.push(documentsOf(db, logs));
      })();
    } finally {
      db.close();
    }
  });
  if (logs.size === 0) broken.push('there is no session to look at');
  const unsettled = [...logs].flatMap(([runId, all]) => compare(runId, all, machines.length, broken));
  const [first, ...others] = documents;
  if (others.some((other) => !areEqual(first, other))) unsettled.push('documents differ');
  const heads = [...logs.values()].flatMap((all) => all.filter(({ isHosted }) => isHosted).map(({ lastSeq }) => lastSeq));
  return { broken, unsettled, heads };
}

function sessionsOf(db: Database): SessionRow[] {
  return db
    .prepare<[], SessionRow>(
      `SELECT s.key, s.run_id, s.epoch, h.last_seq, r.replica_json
       FROM sessions s JOIN heads h ON h.key = s.key LEFT JOIN replicas r ON r.key = s.key WHERE s.deleted = 0`,
    )
    .all();
}

function logOf(
  db: Database,
  { key, epoch, last_seq, replica_json }: SessionRow,
  machine: number,
  tell: (what: string) => void,
): Log {
  const verification = new Verification(db, key);
  let verdict = verification.step();
  while (verdict === null) verdict = verification.step();
  if (!verdict.ok) tell(verdict.message);
  const events = db
    .prepare<[number, number, number], EventRow>(
      `SELECT id % ? AS seq, epoch, channel, type, hash, iif(typeof(payload) = 'text', payload ->> '$.inputId', NULL) AS input
       FROM events WHERE id > ? AND id < ? ORDER BY id`,
    )
    .all(SEQ_SPAN, key * SEQ_SPAN, (key + 1) * SEQ_SPAN);
  let newest = 0;
  const done = new Set<string>();
  for (const event of events) {
    if (event.epoch < newest) tell(`event ${event.seq} is of epoch ${event.epoch}, after one of ${newest}`);
    newest = Math.max(newest, event.epoch);
    const what = `${event.channel} ${event.type}`;
    if (event.input === null || !DONE_ONCE.includes(what)) continue;
    if (done.has(`${what} ${event.input}`)) tell(`${what} is there twice for ${event.input}`);
    done.add(`${what} ${event.input}`);
  }
  if (newest > epoch) tell(`it is of epoch ${epoch}, and has events of ${newest}`);
  if (replica_json !== null && JSON.parse(replica_json).forked !== false) tell('it is a fork');
  const hashes = new Map(events.map(({ seq, hash }) => [seq, hash.toString('hex')]));
  return { machine, isHosted: replica_json === null, lastSeq: last_seq, hashes };
}

/** What is not yet as it has to be at rest; what must never be goes to `broken`. */
function compare(runId: string, logs: readonly Log[], machines: number, broken: string[]): string[] {
  const hosts = logs.filter(({ isHosted }) => isHosted);
  const [host] = hosts;
  if (host === undefined || hosts.length > 1) {
    broken.push(`session ${runId} is hosted by ${hosts.length} machines`);
    return [];
  }
  for (const replica of logs) {
    // The host may have gone on since the others were looked at, not the other way round.
    const beyond = [...replica.hashes].find(([seq, hash]) => seq <= host.lastSeq && (host.hashes.get(seq) ?? hash) !== hash);
    if (beyond !== undefined) broken.push(`session ${runId}: event ${beyond[0]} is another one on machine ${replica.machine}`);
  }
  const isEverywhere = logs.length === machines && logs.every(({ lastSeq }) => lastSeq === host.lastSeq);
  return isEverywhere ? [] : [`session ${runId}: ${logs.map(({ machine, lastSeq }) => `${lastSeq} on ${machine}`).join(', ')}`];
}

/** Those that say something, of sessions that are there, each as it is when all of its updates are put together. */
function documentsOf(db: Database, sessions: ReadonlyMap<string, unknown>): Map<string, string> {
  const docs = new Map<string, Y.Doc>();
  const rows = db
    .prepare<[], { name: string; bytes: Buffer }>(
      'SELECT d.name, u.bytes FROM documents d JOIN document_updates u ON u.key = d.key ORDER BY u.id',
    )
    .all();
  for (const { name, bytes } of rows) {
    if (name.startsWith('session:') && !sessions.has(name.slice('session:'.length))) continue;
    const doc = docs.get(name) ?? new Y.Doc();
    docs.set(name, doc);
    Y.applyUpdate(doc, bytes);
  }
  const said = [...docs].filter(([, doc]) => doc.store.clients.size > 0);
  return new Map(said.map(([name, doc]) => [name, Buffer.from(Y.encodeStateAsUpdate(doc)).toString('hex')]));
}

function areEqual(a: ReadonlyMap<string, string> | undefined, b: ReadonlyMap<string, string>): boolean {
  return a !== undefined && a.size === b.size && [...a].every(([name, state]) => b.get(name) === state);
}

/** Killed, it has every log as far as its host has it, without a hole. */
function lookAtRelay(relay: RelayProcess, heads: readonly number[]): string[] {
  const file = join(relay.folder, 'relay.db');
  if (!existsSync(file)) return ['the relay has no state'];
  const db = openForReading(file);
  try {
    const streams = db
      .prepare<[], { key: number; last_seq: number }>("SELECT key, last_seq FROM streams WHERE kind = 'log'")
      .all();
    const holes = streams.flatMap(({ key, last_seq }) => {
      let seq = 0;
      const rows = db
        .prepare<[number], { frame: Buffer }>('SELECT frame FROM batches WHERE stream = ? ORDER BY position')
        .iterate(key);
      for (const { frame } of rows) {
        const header = readBatch(frame)?.header;
        if (header?.seqFrom !== seq + 1) return [`a log goes on at ${header?.seqFrom} after ${seq}`];
        seq = header.seqTo;
      }
      return seq === last_seq ? [] : [`a log ends at ${seq}, not at ${last_seq}`];
    });
    const there = streams.map(({ last_seq }) => last_seq);
    for (const head of heads) {
      const at = there.indexOf(head);
      if (at < 0) holes.push(`no log goes to ${head}`);
      else there.splice(at, 1);
    }
    return holes;
  } finally {
    db.close();
  }
}
