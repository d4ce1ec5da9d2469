import * as z from 'zod/mini';
import { ClientId, Epoch, InputId, RunId, Seq, Timestamp } from './ids.ts';
import { OperationName } from './operations.ts';
import { Command, LiveText } from './protocol.ts';
import { Refusal } from './refusal.ts';
import { decodeValue, encodeValue, parseAs } from './values.ts';

/**
 * What machines of a workspace say to each other while it happens: frames that pass the relay and are kept nowhere. Each is the
 * payload of one batch (sealed-batch.ts), so that who sent it is known, and it is of one session or said to one machine.
 */
export const PEER_VERSION = 1;
/** A message that is larger goes in parts, the last of which may be smaller: what is typed meanwhile passes between them. */
export const MIN_PEER_PART_BYTES = 16 * 1024;
export const MAX_PEER_PART_BYTES = 64 * 1024;
/** A larger message is refused by whoever would send it. */
export const MAX_PEER_MESSAGE_BYTES = 64 * 1024 * 1024;
/** Typed bytes in one frame; more of them follow in the next. */
export const MAX_KEYS_BYTES = 32 * 1024;
/** A terminal's screen, deflated, without what has scrolled away. A larger one is not shown. */
export const MAX_SHOWN_SCREEN_BYTES = 512 * 1024;
/** Of a terminal's output in one event that is shown before it is in a log. */
export const MAX_EARLY_BYTES = 4 * 1024;
/** Logs in one telling of how far they have come; of others it is told a moment later. */
export const MAX_TOLD_LOGS = 500;
/** Clients of one machine that look at one session. */
export const MAX_LOOKING = 200;
/** What may only be done soon after it was said is refused when the beat that it names is older. */
export const FRESH_MS = 120_000;

const bytes = (maxLength: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.byteLength > 0 && value.byteLength <= maxLength);

/**
 * The time of one machine by its own clock, in the life of one process. Whoever sends echoes the newest that it heard of the receiver,
 * so that the receiver knows how old a frame is without trusting anybody else's clock.
 */
export const Beat = z.strictObject({ boot: z.string().check(z.regex(/^[0-9a-f]{32}$/)), atMs: z.int() });
export type Beat = z.infer<typeof Beat>;

const Cells = z.strictObject({ cols: z.int().check(z.gte(2), z.lte(1000)), rows: z.int().check(z.gte(1), z.lte(1000)) });
const Outcome = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), seq: Seq }),
  z.strictObject({ ok: z.literal(false), refusal: Refusal }),
]);
const CallOutcome = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), result: z.unknown() }),
  z.strictObject({ ok: z.literal(false), refusal: Refusal }),
]);

/** What a host carries out once. */
export const PeerCommand = z.discriminatedUnion('kind', [
  Command,
  z.strictObject({ kind: z.literal('close'), inputId: InputId }),
]);

/** Things to be done: sealed as `input`, which a machine that may only look cannot send, and refused when they are old. */
export const PeerDeed = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('command'),
    runId: RunId,
    /** The ownership under which the sender knows the session. */
    epoch: Epoch,
    clientId: z.string().check(z.maxLength(64)),
    command: PeerCommand,
  }),
  /** Typed bytes: at most once, in order. `clientId`: among those who look; null: nobody's terminal, as over HTTP. */
  z.strictObject({
    type: z.literal('keys'),
    runId: RunId,
    epoch: Epoch,
    clientId: z.nullable(ClientId),
    data: bytes(MAX_KEYS_BYTES),
  }),
  z.strictObject({ type: z.literal('call'), callId: z.uuid(), operation: OperationName, params: z.unknown() }),
]);
export type PeerDeed = z.infer<typeof PeerDeed>;

/** Things that are said: answers, who looks, signs of life. Sealed as `live`. */
export const PeerWord = z.discriminatedUnion('type', [
  /** Every frame has a beat; this one has nothing else. */
  z.strictObject({ type: z.literal('beat'), wantsAnswer: z.boolean() }),
  /**
   * Which clients of the sender look at a session of the receiver, with their sizes, all of them; said again every `LOOK_EVERY_MS`.
   * `driver`: of these, the one who typed last.
   */
  z.strictObject({
    type: z.literal('look'),
    runId: RunId,
    viewers: z
      .array(z.strictObject({ clientId: ClientId, name: z.string().check(z.maxLength(128)), viewport: z.nullable(Cells) }))
      .check(z.maxLength(MAX_LOOKING)),
    driver: z.nullable(ClientId),
  }),
  z.strictObject({ type: z.literal('result'), runId: RunId, inputId: InputId, outcome: Outcome }),
  z.strictObject({ type: z.literal('reply'), callId: z.uuid(), outcome: CallOutcome }),
  /** Keys were typed that the host does not take. Told from time to time, while they come. */
  z.strictObject({ type: z.literal('keys-refused'), runId: RunId, refusal: Refusal }),
  /** How far logs of the sender have come that grow quickly (LogPoint): who follows them knows how much is on its way. */
  z.strictObject({
    type: z.literal('logs'),
    logs: z
      .array(z.strictObject({ runId: RunId, since: Seq, seq: Seq, bytes: z.int().check(z.nonnegative()) }))
      .check(z.maxLength(MAX_TOLD_LOGS)),
  }),
  /** The sender looks at a terminal whose log comes too slowly: it wants the screen as soon as that is another than after `after`. */
  z.strictObject({ type: z.literal('screen-wanted'), runId: RunId, after: Seq }),
  /** `data`: as the checkpoint's, packed (log-payload.ts). */
  z.strictObject({
    type: z.literal('screen'),
    runId: RunId,
    seq: Seq,
    ...Cells.shape,
    data: bytes(MAX_SHOWN_SCREEN_BYTES),
  }),
  /** The deed (its inputId or callId) named an old beat and was not done; this frame has the new one. */
  z.strictObject({ type: z.literal('expired'), of: z.uuid() }),
]);
export type PeerWord = z.infer<typeof PeerWord>;

const Part = z.strictObject({
  type: z.literal('part'),
  /** Of one message; the parts come in order: `bytes` from `from` on, of `of` in all. */
  id: z.uuid(),
  from: z.int().check(z.nonnegative()),
  of: z.int().check(z.lte(MAX_PEER_MESSAGE_BYTES)),
  bytes: bytes(MAX_PEER_PART_BYTES),
});
export type PeerPart = z.infer<typeof Part>;

const PeerFrame = z.strictObject({
  v: z.literal(PEER_VERSION),
  /** The sender's own. */
  beat: Beat,
  /** The newest that it heard of the receiver. */
  heard: z.nullable(Beat),
  body: z.union([PeerDeed, PeerWord, Part]),
});
export type PeerFrame = z.infer<typeof PeerFrame>;

/** What a host shows to whoever watches a session, beside its log. */
export const PeerShow = z.discriminatedUnion('type', [
  /** Pieces of what is being written now (LiveText.offset says where each belongs), from the beginning for one who has just come. */
  z.strictObject({ type: z.literal('live'), texts: z.array(LiveText).check(z.maxLength(1000)) }),
  z.strictObject({
    type: z.literal('viewers'),
    driver: z.nullable(ClientId),
    viewers: z.array(z.strictObject({ clientId: ClientId, name: z.string().check(z.maxLength(256)) })).check(z.maxLength(10_000)),
  }),
  /** An event of its terminal's output that may not be in the log yet, not even at its host. */
  z.strictObject({ type: z.literal('output'), seq: Seq, ts: Timestamp, epoch: Epoch, data: bytes(MAX_EARLY_BYTES) }),
]);
export type PeerShow = z.infer<typeof PeerShow>;
const ShowFrame = z.strictObject({ v: z.literal(PEER_VERSION), body: PeerShow });

/** Encoded apart from its frame: a large one is cut. */
export const encodePeerMessage = (message: PeerDeed | PeerWord): Uint8Array => encodeValue(message);
export const encodePeerFrame = (frame: PeerFrame): Uint8Array => encodeValue(frame);
export const encodeShow = (body: PeerShow): Uint8Array => encodeValue({ v: PEER_VERSION, body });

/** The doors: null for what is no such thing. */
export const parsePeerFrame = (payload: Uint8Array): PeerFrame | null => parse(PeerFrame, payload);
export const parsePeerMessage = (joined: Uint8Array): PeerDeed | PeerWord | null => parse(z.union([PeerDeed, PeerWord]), joined);
export const parseShow = (payload: Uint8Array): PeerShow | null => parse(ShowFrame, payload)?.body ?? null;

export function isDeed(message: PeerDeed | PeerWord): message is PeerDeed {
  return message.type === 'command' || message.type === 'keys' || message.type === 'call';
}

function parse<S extends z.ZodMiniType>(schema: S, payload: Uint8Array): z.infer<S> | null {
  try {
    return parseAs(schema, decodeValue(payload));
  } catch {
    return null;
  }
}
