import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as Y from 'yjs';
import * as z from 'zod/mini';
import { RunId } from '../../../src-shared/ids.ts';
import { encodePeerFrame, encodeShow, parsePeerFrame, parseShow } from '../../../src-shared/peer-protocol.ts';
import { fromHex, toHex } from '../../../src-shared/seal.ts';
import { hashOfStored, hashToHex, NO_HASH } from '../../store/chain.ts';
import type { ChainedPage } from '../../store/store.ts';
import { decodePiece, encodePieces } from '../documents/document-payload.ts';
import { decodeCard } from './card.ts';
import { decodeCheckpoint } from './checkpoint.ts';
import { decodeLog, encodeLog } from './log-payload.ts';

/** Bytes stand as {"bytes": hex}. */
const Payload = z.string();
const Event = z.object({
  seq: z.number(),
  epoch: z.number(),
  ts: z.number(),
  channel: z.string(),
  type: z.string(),
  form: z.enum(['json', 'bytes']),
  /** As it is stored: JSON as text, or hex. */
  payload: z.string(),
  hash: z.string(),
});
const Log = z.object({
  what: z.string(),
  from: z.number(),
  to: z.number(),
  isDeflated: z.boolean(),
  isInPieces: z.boolean(),
  items: z.array(z.unknown()),
  headHash: z.nullable(z.string()),
  payload: Payload,
});
const Vectors = z.object({
  runId: RunId,
  events: z.array(Event),
  logs: z.array(Log),
  cards: z.array(z.object({ what: z.string(), card: z.unknown(), payload: Payload })),
  checkpoints: z.array(z.object({ what: z.string(), checkpoint: z.unknown(), payload: Payload })),
  frames: z.array(z.object({ what: z.string(), frame: z.unknown(), payload: Payload })),
  shown: z.array(z.object({ what: z.string(), body: z.unknown(), payload: Payload })),
  documents: z.array(
    z.object({
      what: z.string(),
      is: z.enum(['update', 'snapshot']),
      covers: z.array(z.object({ machine: z.string(), counter: z.number(), hash: z.string() })),
      update: Payload,
      payload: Payload,
      /** What the document says when the update has been applied to an empty one. */
      texts: z.record(z.string(), z.string()),
    }),
  ),
});

const file = new URL('../../../docs/payload-vectors.json', import.meta.url);
const vectors = Vectors.parse(JSON.parse(readFileSync(file, 'utf8')));

const withoutBytes = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, inner) => (inner instanceof Uint8Array ? { bytes: toHex(inner) } : inner)));
const withBytes = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, inner) =>
    typeof inner?.bytes === 'string' && Object.keys(inner).length === 1 ? fromHex(inner.bytes) : inner,
  );

it('[seal-11] each event of the examples has the documented hash behind the one before', () => {
  let previous = NO_HASH;
  for (const { hash, form, payload, ...event } of vectors.events) {
    previous = hashOfStored(previous, { ...event, payload: form === 'json' ? payload : Buffer.from(payload, 'hex') });
    expect(hashToHex(previous)).toBe(hash);
  }
});

it.each(vectors.logs)('[seal-11] the documented payload of a log, $what, says what is documented', async (log) => {
  const { from, to, payload, items, headHash } = log;
  const piece = await decodeLog(fromHex(payload), { runId: vectors.runId, from, to, known: from - 1 });
  const read = [...piece.gaps, ...piece.events.map(({ runId: _, ...event }) => event), ...(piece.missing ? [piece.missing] : [])];
  expect(withoutBytes(read)).toEqual(items);
  // Where the payload of an event is still to be fetched, nothing counts yet.
  expect(piece.headHash).toBe(piece.missing === null ? headHash : null);
  // How small it becomes depends on who deflates.
  if (log.isDeflated) return;
  const stored = vectors.events.slice(from - 1, to).map(({ form, payload: it, hash: _, ...event }) => {
    return { ...event, isJson: form === 'json', payload: form === 'json' ? new TextEncoder().encode(it) : fromHex(it) };
  });
  const page = { items: piece.gaps.length > 0 ? piece.gaps : stored, toSeq: to, headHash } as unknown as ChainedPage;
  expect(toHex(await encodeLog(from, page, log.isInPieces))).toBe(payload);
});

it('[seal-11] documented cards and checkpoints are read as they are', async () => {
  for (const { card, payload } of vectors.cards) expect(await decodeCard(fromHex(payload))).toEqual(card);
  for (const { checkpoint, payload } of vectors.checkpoints) expect(await decodeCheckpoint(fromHex(payload))).toEqual(checkpoint);
});

it('[seal-11] what machines say to each other is encoded as documented', () => {
  for (const { frame, payload } of vectors.frames) {
    const read = parsePeerFrame(fromHex(payload));
    expect(withoutBytes(read)).toEqual(frame);
    expect(toHex(encodePeerFrame(withBytes(frame) as Parameters<typeof encodePeerFrame>[0]))).toBe(payload);
  }
  for (const { body, payload } of vectors.shown) {
    expect(withoutBytes(parseShow(fromHex(payload)))).toEqual(body);
    expect(toHex(encodeShow(withBytes(body) as Parameters<typeof encodeShow>[0]))).toBe(payload);
  }
});

it('[seal-11] what is said of documents is encoded as documented', () => {
  for (const { is, covers, update, payload, texts } of vectors.documents) {
    const piece = decodePiece(fromHex(payload));
    expect(piece).toMatchObject({ is, piece: 0, pieces: 1, covers });
    expect(toHex(piece?.bytes ?? new Uint8Array())).toBe(update);
    const known = covers as unknown as Parameters<typeof encodePieces>[2];
    expect(encodePieces(is, fromHex(update), known).map(toHex)).toEqual([payload]);
    const doc = new Y.Doc();
    Y.applyUpdate(doc, fromHex(update));
    for (const [name, text] of Object.entries(texts)) expect(doc.getText(name).toString()).toBe(text);
  }
});
