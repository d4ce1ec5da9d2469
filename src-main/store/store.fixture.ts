import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogEvent, NewEvent, Payload } from '../../src-shared/events.ts';
import { Epoch, FIRST_EPOCH, RunId, Seq } from '../../src-shared/ids.ts';
import { BatchEncoder } from './batch.ts';
import type { Batch, BatchResult, WriteExtra } from './messages.ts';
import type { Writer } from './writer.ts';

/** What the tests of this folder build their logs from. */
export function temporaryFolder(): { readonly path: string; readonly file: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'baton-store-'));
  return { path, file: join(path, 'baton.db'), remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function runIdOf(number: number): RunId {
  return RunId.parse(`0197f000-0000-7000-8000-${String(number).padStart(12, '0')}`);
}

export const FIRST_TS = 1_750_000_000_000;

export function output(text: string): NewEvent {
  return { channel: 'pty:stdout', type: 'data', payload: new Uint8Array(Buffer.from(text, 'utf8')) };
}

export function json(payload: Payload, channel = 'claude:message', type = 'message'): NewEvent {
  return { channel, type, payload };
}

export function prompt(text: string): NewEvent {
  const inputId = '0197f000-0000-7000-8000-0000000000aa';
  return json({ inputId, clientId: 'c', content: { text, images: [] } }, 'run:prompt', 'queued');
}

/** Numbers events from `firstSeq` on. */
export function numbered(runId: RunId, firstSeq: number, events: readonly NewEvent[], epoch: number = FIRST_EPOCH): LogEvent[] {
  return events.map((event, index) => ({
    runId,
    seq: Seq.parse(firstSeq + index),
    epoch: Epoch.parse(epoch),
    ts: FIRST_TS + firstSeq + index,
    ...event,
  }));
}

export function newSession(runId: RunId) {
  return { runId, kind: 'pty', status: 'running', epoch: FIRST_EPOCH, createdTs: FIRST_TS, meta: { title: 'a shell' } };
}

/** One operation of a batch that is handed to a Writer without any thread. */
export interface Operation {
  readonly key: number;
  readonly events?: readonly LogEvent[];
  readonly extra?: WriteExtra;
}

let nextBatchId = 1;

export function batchOf(operations: readonly Operation[], durable = false): Batch {
  const encoder = new BatchEncoder();
  const extras: WriteExtra[] = [];
  for (const { key, events = [], extra } of operations) {
    if (extra) extras.push(extra);
    encoder.operation(key, events, extra ? extras.length : 0);
  }
  return { id: nextBatchId++, durable, bytes: encoder.take(), extras };
}

export function write(writer: Writer, ...operations: readonly Operation[]): BatchResult {
  return writer.write(batchOf(operations));
}

/** Creates session number `key` with these events. */
export function create(writer: Writer, key: number, events: readonly NewEvent[] = []): RunId {
  const runId = runIdOf(key);
  const extra: WriteExtra = { op: 'create', key, row: newSession(runId), input: null, missing: null };
  const { failures } = write(writer, { key, extra, events: numbered(runId, 1, events) });
  if (failures.size > 0) throw new Error(failures.get(0)?.message);
  return runId;
}
