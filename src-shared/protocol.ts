import * as z from 'zod/mini';
import { PermissionDecision, PromptContent } from './events.ts';
import { ReconnectToken } from './http-api.ts';
import { ClientId, Epoch, InputId, MachineId, RunId, Seq } from './ids.ts';
import { Keybinding } from './keymap.ts';
import { MachineList, PairingState } from './machines.ts';
import { ClientKind, OperationName, OutboxItem, Screen, WireEvent } from './operations.ts';
import { Refusal } from './refusal.ts';
import { PermissionMode, SessionState, SessionSummary } from './session.ts';
import { BOUNDS_OF_HOST, decodeValue, encodeValue, parseAs } from './values.ts';

/**
 * Every message on a wire. Four core messages (`client:hello`, `run:attach`, `run:input`, `run:close`), operations as
 * `call`/`reply`, and events from the host. One frame is one message, encoded by lib0's `any` (JSON values plus raw bytes).
 * Frames are parsed at the door: behind it, types hold.
 */
export const PROTOCOL_VERSION = 1;

/** Larger frames are malformed. Images in a prompt are the largest honest thing. */
export const MAX_FRAME_BYTES = 320 * 1024 * 1024;
/** Output bytes that may be on their way to a viewer, sent but not yet parsed by its terminal; at this bound the host holds output back for that viewer. */
export const VIEWER_WINDOW_BYTES = 256 * 1024;

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array);

/** An input that is executed exactly once: sent again with its `inputId` it gets the first answer, `run:input-result`. */
export const Command = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('prompt'), inputId: InputId, content: PromptContent }),
  z.object({ kind: z.literal('prompt-edit'), inputId: InputId, target: InputId, text: z.string().check(z.maxLength(1_000_000)) }),
  z.object({ kind: z.literal('prompt-move'), inputId: InputId, target: InputId, before: z.nullable(InputId) }),
  z.object({ kind: z.literal('prompt-delete'), inputId: InputId, target: InputId }),
  z.object({
    kind: z.literal('permission'),
    inputId: InputId,
    requestId: z.string(),
    decision: PermissionDecision,
    reason: z.nullable(z.string().check(z.maxLength(10_000))),
    /** Allowed, but with this input instead: how a question of Claude's (AskUserQuestion: `answers`) is answered. */
    updatedInput: z.optional(z.record(z.string(), z.json())),
  }),
  /** Ends the turn in progress (Claude) or sends SIGINT's character (terminal). Queued prompts stay. */
  z.object({ kind: z.literal('interrupt'), inputId: InputId }),
  /** Starts the program of an ended or interrupted session again, in place. */
  z.object({ kind: z.literal('restart'), inputId: InputId }),
  z.object({
    kind: z.literal('options'),
    inputId: InputId,
    model: z.optional(z.nullable(z.string())),
    permissionMode: z.optional(PermissionMode),
  }),
]);
export type Command = z.infer<typeof Command>;

/** What `run:input` carries. Everything but `keys` and `viewport` has an `inputId`: executed once, answered with `run:input-result`. */
export const Input = z.discriminatedUnion('kind', [
  /** Typed bytes. At most once, never stored. */
  z.object({ kind: z.literal('keys'), data: bytes }),
  /** How many cells this client's pane has. The pty takes the size of the client that drives (typed last). */
  z.object({
    kind: z.literal('viewport'),
    cols: z.int().check(z.gte(2), z.lte(1000)),
    rows: z.int().check(z.gte(1), z.lte(1000)),
  }),
  Command,
]);
export type Input = z.infer<typeof Input>;

const callId = z.int();

export const ClientMessage = z.discriminatedUnion('type', [
  /** First message on every wire. Answered by `welcome`, or the wire is closed with a reason. */
  z.object({
    type: z.literal('client:hello'),
    protocol: z.int(),
    clientId: ClientId,
    kind: ClientKind,
    name: z.string().check(z.maxLength(128)),
  }),
  /**
   * "Give me everything after N", then live. `after: null` asks for the shortest way to the present: a terminal's screen plus
   * tail, a conversation's last events. Attaching again replaces the attachment.
   */
  z.object({
    type: z.literal('run:attach'),
    runId: RunId,
    attachId: z.int(),
    after: z.nullable(Seq),
    /** `ts` of event `after`, where the client has it: a log that has another event there has another history [seq-4]. */
    afterTs: z.optional(z.int()),
    viewport: z.nullable(z.object({ cols: z.int().check(z.gte(2), z.lte(1000)), rows: z.int().check(z.gte(1), z.lte(1000)) })),
  }),
  z.object({ type: z.literal('run:detach'), runId: RunId }),
  /** Bytes of output parsed since this attachment began (a running total, so that repeating it is harmless). */
  z.object({ type: z.literal('run:ack'), runId: RunId, attachId: z.int(), parsedBytes: z.int() }),
  z.object({ type: z.literal('run:input'), runId: RunId, epoch: z.nullable(Epoch), input: Input }),
  /** Ends the session's program. Its log stays. */
  z.object({ type: z.literal('run:close'), runId: RunId, inputId: InputId }),
  z.object({ type: z.literal('call'), callId, operation: OperationName, params: z.unknown() }),
  /** Either end pings when it has not heard from the other for a while, and answers a ping with `pong` [wire-9]. */
  z.object({ type: z.literal('ping'), sentAt: z.number() }),
  z.object({ type: z.literal('pong'), sentAt: z.number() }),
]);
export type ClientMessage = z.infer<typeof ClientMessage>;

/** A message that is being written at this moment: shown, never logged. `offset` counts UTF-16 units of the block's text. */
export const LiveText = z.object({
  messageId: z.string(),
  block: z.int(),
  blockKind: z.enum(['text', 'thinking', 'tool-input']),
  /** Name of the tool whose input is being written. */
  toolName: z.nullable(z.string()),
  /** Subagent's tool use id; null in the main conversation. */
  parentToolUseId: z.nullable(z.string()),
  offset: z.int(),
  text: z.string(),
});
export type LiveText = z.infer<typeof LiveText>;

export const HostMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    protocol: z.int(),
    machineId: MachineId,
    machine: z.string(),
    engineVersion: z.string(),
    platform: z.string(),
    sessions: z.array(SessionSummary),
    /** On a network wire: what opens the next one. null where nothing is needed to come back. */
    reconnect: z.nullable(ReconnectToken),
  }),
  /** Takes the place of `welcome.reconnect`, in good time before that expires. */
  z.object({ type: z.literal('reconnect:token'), reconnect: ReconnectToken }),
  /**
   * Answer to `run:attach`; the events after `after` follow. With `screen`, the terminal starts from it. `reset` says that what
   * the client had is not a prefix of this log: forget it. `firstSeq` is where the log the client now has begins.
   */
  z.object({
    type: z.literal('run:attached'),
    runId: RunId,
    attachId: z.int(),
    epoch: Epoch,
    session: SessionSummary,
    /** Folded through `lastSeq`: of the events that follow, only later ones change it. */
    state: SessionState,
    after: Seq,
    lastSeq: Seq,
    reset: z.boolean(),
    screen: z.nullable(Screen),
    /** Texts being written now. */
    live: z.array(LiveText),
    /** This client's typing decides the size. */
    driving: z.boolean(),
  }),
  z.object({ type: z.literal('run:refused'), runId: RunId, attachId: z.int(), refusal: Refusal }),
  z.object({ type: z.literal('run:events'), runId: RunId, events: z.array(WireEvent) }),
  /** The viewer fell too far behind: start over from this screen, then events after `screen.seq` follow. */
  z.object({
    type: z.literal('run:resync'),
    runId: RunId,
    attachId: z.int(),
    session: SessionSummary,
    /** Folded through `lastSeq`. */
    state: SessionState,
    lastSeq: Seq,
    screen: Screen,
  }),
  z.object({ type: z.literal('run:live'), runId: RunId, live: LiveText }),
  /** Answer to an input with an inputId: `seq` is the event that records it. A repeated inputId gets the first answer. */
  z.object({
    type: z.literal('run:input-result'),
    runId: RunId,
    inputId: InputId,
    outcome: z.discriminatedUnion('ok', [
      z.object({ ok: z.literal(true), seq: Seq }),
      z.object({ ok: z.literal(false), refusal: Refusal }),
    ]),
  }),
  /** Who drives the terminal's size, and who watches. */
  z.object({
    type: z.literal('run:viewers'),
    runId: RunId,
    driver: z.nullable(ClientId),
    viewers: z.array(z.object({ clientId: ClientId, name: z.string() })),
  }),
  z.object({ type: z.literal('session:changed'), session: SessionSummary }),
  z.object({ type: z.literal('session:removed'), runId: RunId }),
  /** Somebody has written, the client itself perhaps. To those that have the session attached. */
  z.object({ type: z.literal('draft:changed'), runId: RunId, text: z.string(), version: z.int() }),
  z.object({ type: z.literal('notes:changed'), runId: RunId, text: z.string(), version: z.int() }),
  /** The list of clients is another one: `clients.list` has it. At most once a second. */
  z.object({ type: z.literal('clients:changed'), active: z.int() }),
  /** The list of machines, or how this one stands with the relay, is another one. */
  z.object({ type: z.literal('machines:changed'), ...MachineList.shape }),
  z.object({ type: z.literal('pairing:changed'), state: PairingState }),
  /** What waits for the machine of this session, all of it, oldest first. */
  z.object({ type: z.literal('outbox:changed'), runId: RunId, items: z.array(OutboxItem) }),
  /** A program has something to tell the user: told as it comes, never stored [pty-11]. */
  z.object({
    type: z.literal('session:notice'),
    runId: RunId,
    title: z.nullable(z.string().check(z.maxLength(256))),
    body: z.string().check(z.maxLength(256)),
  }),
  z.object({ type: z.literal('settings:changed'), settings: z.unknown() }),
  /** keybindings.json has changed. */
  z.object({ type: z.literal('keybindings:changed'), bindings: z.array(Keybinding) }),
  /**
   * The desktop shell asks its window to run a command of the keymap (menu, tray), or SHOW_SESSION (tray, notification, link).
   * `runId: null`: on the session that has the focus.
   */
  z.object({ type: z.literal('shell:command'), command: z.string().check(z.maxLength(128)), runId: z.nullable(RunId) }),
  /** The desktop shell tells the user something inside the window; one with a `runId` leads to that session. */
  z.object({
    type: z.literal('shell:notice'),
    kind: z.enum(['turn-ended', 'permission-asked', 'session-ended', 'program', 'problem', 'hint']),
    runId: z.nullable(RunId),
    title: z.string().check(z.maxLength(256)),
    body: z.nullable(z.string().check(z.maxLength(1024))),
  }),
  /** What the desktop shell knows of the machine it runs on; sent when a wire opens and when it changes. */
  z.object({ type: z.literal('shell:environment'), screenReader: z.boolean() }),
  z.object({
    type: z.literal('reply'),
    callId,
    outcome: z.discriminatedUnion('ok', [
      z.object({ ok: z.literal(true), result: z.unknown() }),
      z.object({ ok: z.literal(false), refusal: Refusal }),
    ]),
  }),
  z.object({ type: z.literal('ping'), sentAt: z.number() }),
  z.object({ type: z.literal('pong'), sentAt: z.number() }),
]);
export type HostMessage = z.infer<typeof HostMessage>;

export function encodeMessage(message: ClientMessage | HostMessage): Uint8Array {
  return encodeValue(message);
}

function decodeFrame(frame: Uint8Array, bounds?: typeof BOUNDS_OF_HOST): unknown {
  if (frame.byteLength > MAX_FRAME_BYTES) throw new Error(`frame of ${frame.byteLength} bytes is larger than ${MAX_FRAME_BYTES}`);
  return decodeValue(frame, bounds);
}

/** The door of the host. Throws on anything that is not a message of a client; the caller closes that wire only. */
export function parseClientMessage(frame: Uint8Array): ClientMessage {
  return parseAs(ClientMessage, decodeFrame(frame));
}

/** The door of the client, which trusts its host with how much it sends. Throws on anything that is not a message of a host. */
export function parseHostMessage(frame: Uint8Array): HostMessage {
  return HostMessage.parse(decodeFrame(frame, BOUNDS_OF_HOST));
}
