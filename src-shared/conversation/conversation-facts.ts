import * as z from 'zod/mini';
import { type KnownEvent, type LogEvent, readEvent, type UnreadEvent } from '../events.ts';
import { readEntry } from './conversation-entry.ts';
import type { Fact, FactBody } from './conversation-fact.ts';
import { readMessage } from './conversation-message.ts';

/** Channels a conversation is made from; what a reader of history asks for. */
export const CONVERSATION_CHANNELS = [
  'system:status',
  'run:prompt',
  'run:turn',
  'run:permission',
  'claude:init',
  'claude:transcript',
  'claude:result',
  'claude:message',
] as const;

const TranscriptBatch = z.object({ subpath: z.nullable(z.string()), entries: z.array(z.unknown()) });
const Timestamped = z.object({ timestamp: z.string() });

/** As much of an event as a conversation needs: from an attachment, or a page of history. */
export type ConversationEvent = Pick<LogEvent, 'seq' | 'ts'> & UnreadEvent;

/** What an event says to a conversation; nothing for channels that are none of its business. */
export function readFacts(event: ConversationEvent): readonly Fact[] {
  // Its entries are read one by one and tolerantly, not by the channel's schema: that would check every value of every entry.
  if (event.channel === 'claude:transcript') return readTranscript(event);
  const known = readEvent(event);
  if (known === null) return [];
  return factsOf(known).map((body, index) => ({ seq: event.seq, index, ts: event.ts, subpath: null, body }));
}

function readTranscript(event: ConversationEvent): readonly Fact[] {
  const batch = TranscriptBatch.safeParse(event.payload);
  if (!batch.success) return [];
  const { subpath, entries } = batch.data;
  const facts: Fact[] = [];
  for (const entry of entries) {
    const ts = entryTs(entry) ?? event.ts;
    for (const body of readEntry(entry)) facts.push({ seq: event.seq, index: facts.length, ts, subpath, body });
  }
  return facts;
}

function entryTs(entry: unknown): number | null {
  const read = Timestamped.safeParse(entry);
  const ts = read.success ? Date.parse(read.data.timestamp) : Number.NaN;
  return Number.isNaN(ts) ? null : ts;
}

function factsOf(known: KnownEvent): readonly FactBody[] {
  switch (known.channel) {
    case 'run:prompt':
      return promptFacts(known);
    case 'run:turn':
      return [{ kind: 'turn-ended', ...known.payload }];
    case 'run:permission':
      return [permissionFact(known)];
    case 'claude:result': {
      const { usage, durationMs, subtype, isError } = known.payload;
      return [{ kind: 'result', usage, durationMs, subtype, isError }];
    }
    case 'claude:init':
      return initFacts(known);
    case 'claude:message':
      return readMessage(known.payload);
    case 'system:status':
      return statusFacts(known);
    default:
      return [];
  }
}

function promptFacts(known: Extract<KnownEvent, { channel: 'run:prompt' }>): readonly FactBody[] {
  switch (known.type) {
    case 'queued': {
      const { inputId, clientId, content } = known.payload;
      const images = content.images.map(({ mediaType, base64, name }) => ({ mediaType, base64, name: name ?? null }));
      return [{ kind: 'queued', inputId, clientId, text: content.text, images }];
    }
    case 'edited':
      return [{ kind: 'edited', target: known.payload.target, text: known.payload.text }];
    case 'deleted':
      return [{ kind: 'deleted', target: known.payload.target }];
    case 'accepted':
      return [{ kind: 'accepted', inputId: known.payload.inputId }];
    case 'moved':
      return [];
  }
}

function permissionFact(known: Extract<KnownEvent, { channel: 'run:permission' }>): FactBody {
  if (known.type === 'asked') {
    const { requestId, toolUseId, toolName } = known.payload;
    return { kind: 'permission-asked', requestId, toolUseId, toolName };
  }
  const { requestId, decision, clientId, reason, inputId } = known.payload;
  return { kind: 'permission-answered', requestId, decision, clientId, reason, moot: inputId === null };
}

function initFacts(known: Extract<KnownEvent, { channel: 'claude:init' }>): readonly FactBody[] {
  if (known.type !== 'options') return [];
  const { model, permissionMode } = known.payload;
  const facts: FactBody[] = [];
  if (model !== undefined) facts.push({ kind: 'notice', notice: { type: 'model', model } });
  if (permissionMode !== undefined) facts.push({ kind: 'notice', notice: { type: 'mode', mode: permissionMode } });
  return facts;
}

function statusFacts(known: Extract<KnownEvent, { channel: 'system:status' }>): readonly FactBody[] {
  switch (known.type) {
    case 'created': {
      const { branchOf } = known.payload;
      return branchOf === null ? [] : [{ kind: 'notice', notice: { type: 'forked', runId: branchOf.runId } }];
    }
    case 'started':
      return [{ kind: 'notice', notice: { type: 'started' } }];
    case 'exited':
      return [{ kind: 'notice', notice: { type: 'exited', ...known.payload } }];
    case 'interrupted':
      return [{ kind: 'crashed', ...known.payload }];
    case 'gap':
      return [{ kind: 'notice', notice: { type: 'gap', bytes: known.payload.bytes, reason: known.payload.reason } }];
    case 'failed':
      return [{ kind: 'notice', notice: { type: 'message', text: known.payload.message, level: 'warning' } }];
    default:
      return [];
  }
}
