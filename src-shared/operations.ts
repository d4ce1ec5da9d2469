import * as z from 'zod/mini';
import { Cells } from './events.ts';
import { ClientId, InputId, MachineId, RunId, Seq } from './ids.ts';
import { Keybinding } from './keymap.ts';
import { JoinText, MachineList, MachineName, PairingState, RelayStatus, RelayUrl, Rights } from './machines.ts';
import { SessionSpec, SessionState, SessionSummary } from './session.ts';
import { Settings } from './settings.ts';

/**
 * The one table of operations: name -> {params, result}. `call` and `reply` on the wire carry them; every face (window, CLI,
 * HTTP, MCP) is made from this table. What acts on one running session and must happen exactly once is `run:input` instead.
 */
const nothing = z.object({});

export const WireEvent = z.object({
  runId: RunId,
  seq: Seq,
  epoch: z.int(),
  ts: z.int(),
  channel: z.string().check(z.maxLength(64)),
  type: z.string().check(z.maxLength(64)),
  payload: z.unknown(),
});

/** A stored screen: what a terminal showed after event `seq`, as bytes that recreate it in an empty terminal of that size. */
export const Screen = z.object({ seq: Seq, cols: Cells, rows: Cells, data: z.string() });
export type Screen = z.infer<typeof Screen>;

/** A text that several write at a time. Of two, the one with the higher version is the newer. */
const TextNow = z.object({ text: z.string(), version: z.int() });
const MAX_TEXT_CHARS = 1_000_000;
const WrittenText = z.object({
  runId: RunId,
  text: z.string().check(z.maxLength(MAX_TEXT_CHARS)),
  /** The text that this one was made of, as it was read last. */
  base: z.optional(z.string().check(z.maxLength(4 * MAX_TEXT_CHARS))),
});

/** Where it is done; without it, here. Another machine does it within the rights that this one has there. */
const where = { machineId: z.optional(MachineId) };

/** A command for a session of another machine, kept on this one until the other has answered. */
export const OutboxItem = z.object({
  inputId: InputId,
  /** As in `run:input`. */
  kind: z.string(),
  /** What people see of it: the beginning of a prompt's text; else empty. */
  text: z.string(),
  /** RFC 3339. */
  since: z.string(),
  /** `waiting`: the other machine is out of reach. `sent`: on its way; the answer has not come. */
  state: z.enum(['waiting', 'sent']),
});
export type OutboxItem = z.infer<typeof OutboxItem>;

export const ClientKind = z.enum(['window', 'cli', 'browser', 'machine', 'mcp', 'test', 'api']);
export type ClientKind = z.infer<typeof ClientKind>;

/** How a client reaches the engine; `http`: by single requests. */
export const Road = z.enum(['window', 'socket', 'websocket', 'polling', 'http']);
export type Road = z.infer<typeof Road>;

export const ClientSummary = z.object({
  clientId: ClientId,
  kind: ClientKind,
  name: z.string(),
  /** `idle`: not heard for a while, expected back. `disconnected`: it said goodbye, or was not heard for `clients.idleMinutes`. */
  state: z.enum(['active', 'idle', 'disconnected']),
  /** RFC 3339. */
  connectedAt: z.string(),
  lastHeardAt: z.string(),
  /** The sessions that it follows now. */
  sessions: z.array(RunId),
  road: Road,
});
export type ClientSummary = z.infer<typeof ClientSummary>;

/** Of what was found in a title that a user gave: it stands in no log. */
export const TITLE_CHANNEL = 'title';

export const OPERATIONS = {
  'session.list': { params: nothing, result: z.object({ sessions: z.array(SessionSummary) }) },
  'session.get': {
    params: z.object({ runId: RunId }),
    result: z.object({ session: SessionSummary, state: SessionState, spec: SessionSpec }),
  },
  /** `inputId` makes a repeated create return the first one's session. */
  'session.create': {
    params: z.object({ inputId: InputId, spec: SessionSpec, title: z.nullable(z.string().check(z.maxLength(256))), ...where }),
    result: z.object({ session: SessionSummary }),
  },
  'session.rename': {
    params: z.object({ runId: RunId, title: z.nullable(z.string().check(z.maxLength(256))) }),
    result: nothing,
  },
  /** Has a machine (this one, where none is named) told when the session needs the user, ends or fails; or no more. */
  'session.follow': {
    params: z.object({ runId: RunId, machineId: z.optional(MachineId), follows: z.boolean() }),
    result: nothing,
  },
  /** Removes an ended session and its whole log, for good. A running one is refused. */
  'session.delete': { params: z.object({ runId: RunId }), result: nothing },
  /** A new session that begins as a copy of a conversation up to and including event `seq`. */
  'session.fork': {
    params: z.object({ inputId: InputId, runId: RunId, seq: Seq }),
    result: z.object({ session: SessionSummary }),
  },

  /** Events by position: those after `after`, or, with `before`, the last ones before it. At most `limit` events and 4 MB an answer. */
  'history.read': {
    params: z.object({
      runId: RunId,
      after: z.optional(Seq),
      before: z.optional(Seq),
      limit: z.int().check(z.gte(1), z.lte(5000)),
      channels: z.optional(z.array(z.string()).check(z.maxLength(32))),
    }),
    result: z.object({ events: z.array(WireEvent), firstSeq: Seq, lastSeq: Seq, more: z.boolean() }),
  },
  /**
   * Lines of a terminal's whole past as plain text with colours (SGR) kept: the newest page, or one before, after or around
   * something. Page backwards with `beforeLine`, a page's `firstLine`; forwards with `afterLine`, its `lastLine`; `atSeq` gives the
   * lines around the output of that event. Positions grow with time but are not dense: they are for paging, not for counting.
   */
  'history.lines': {
    params: z.object({
      runId: RunId,
      beforeLine: z.optional(z.int().check(z.nonnegative())),
      afterLine: z.optional(z.int().check(z.nonnegative())),
      atSeq: z.optional(Seq),
      limit: z.int().check(z.gte(1), z.lte(5000)),
    }),
    /** `complete`: nothing is older than this page. `atEnd`: nothing was newer. */
    result: z.object({
      lines: z.array(z.string()),
      firstLine: z.int(),
      lastLine: z.int(),
      complete: z.boolean(),
      atEnd: z.boolean(),
    }),
  },
  /**
   * Text search over one session or all of them; newest first. In front of it sessions that a user named so: hits in TITLE_CHANNEL, with
   * the session's last event.
   */
  'history.search': {
    params: z.object({
      query: z.string().check(z.minLength(1), z.maxLength(500)),
      runId: z.optional(RunId),
      limit: z.int().check(z.gte(1), z.lte(500)),
      cursor: z.optional(z.string()),
    }),
    result: z.object({
      hits: z.array(
        z.object({
          runId: RunId,
          seq: Seq,
          ts: z.int(),
          channel: z.string(),
          before: z.string(),
          match: z.string(),
          after: z.string(),
        }),
      ),
      cursor: z.nullable(z.string()),
    }),
  },

  /** A client's window arrangement; opaque to the engine, at most 1 MB. */
  'layout.get': { params: z.object({ clientId: ClientId }), result: z.object({ layout: z.nullable(z.json()) }) },
  'layout.set': { params: z.object({ clientId: ClientId, layout: z.json() }), result: nothing },

  /** The unsent prompt of a session: one for all clients, on all machines. */
  'draft.get': { params: z.object({ runId: RunId }), result: TextNow },
  /** What others have written since `base` stays; the answer has both. Without `base`, `text` takes the place of what is there. */
  'draft.set': { params: WrittenText, result: TextNow },
  /** What somebody wants to remember about a session; shared and merged as drafts are. */
  'notes.get': { params: z.object({ runId: RunId }), result: TextNow },
  'notes.set': { params: WrittenText, result: TextNow },

  'settings.get': { params: nothing, result: z.object({ settings: Settings, path: z.string(), problems: z.array(z.string()) }) },
  /** Changes the named keys (dotted paths) in the settings file; comments in it stay. `null` removes a key. */
  'settings.set': { params: z.object({ changes: z.record(z.string(), z.json()) }), result: z.object({ settings: Settings }) },

  /** The user's rows of keybindings.json; what they mean together with the defaults says `resolveKeymap`. */
  'keybindings.get': {
    params: nothing,
    result: z.object({ bindings: z.array(Keybinding), path: z.string(), problems: z.array(z.string()) }),
  },
  /** Gives a command exactly these keys, by rows in the file; comments in it stay. `null` goes back to the defaults. */
  'keybindings.set': {
    params: z.object({
      command: z.string().check(z.maxLength(128)),
      keys: z.nullable(z.array(z.string().check(z.maxLength(64))).check(z.maxLength(8))),
    }),
    result: z.object({ bindings: z.array(Keybinding) }),
  },

  /** Whether Claude can work on a machine, and if not, what to do. Never reads credentials. */
  'claude.check': {
    params: z.object(where),
    result: z.object({
      state: z.enum(['ready', 'not-signed-in', 'not-installed', 'too-old']),
      path: z.nullable(z.string()),
      version: z.nullable(z.string()),
      message: z.string(),
    }),
  },
  'claude.models': {
    params: z.object(where),
    result: z.object({ models: z.array(z.object({ value: z.string(), displayName: z.string(), description: z.string() })) }),
  },

  /** How the API key that the user gave Baton for Claude is kept. The key itself never leaves the engine. */
  'claude.apiKey': {
    params: nothing,
    result: z.object({
      /** `unreadable`: sealed by a key ring that cannot be opened here and now. */
      stored: z.enum(['none', 'key-ring', 'plain', 'unreadable']),
      /** This engine can seal a key with the system's key ring. */
      hasKeyRing: z.boolean(),
    }),
  },
  /** Keeps an API key for Claude's processes; null forgets it. Without a key ring it is refused unless `allowPlain`. */
  'claude.setApiKey': {
    params: z.object({ apiKey: z.nullable(z.string().check(z.minLength(1), z.maxLength(1000))), allowPlain: z.boolean() }),
    result: z.object({ stored: z.enum(['none', 'key-ring', 'plain']) }),
  },

  /** Files and folders below `cwd` that match what the user typed after `@`, best first. Respects .gitignore. */
  'files.complete': {
    params: z.object({
      cwd: z.string(),
      query: z.string().check(z.maxLength(500)),
      limit: z.int().check(z.gte(1), z.lte(100)),
      ...where,
    }),
    result: z.object({ paths: z.array(z.object({ path: z.string(), isFolder: z.boolean() })), more: z.boolean() }),
  },

  /** Opens an http or https address in the user's browser; any other scheme is refused. Shell operations are answered by the desktop shell that owns the wire, and refused elsewhere. */
  'shell.openLink': { params: z.object({ url: z.string().check(z.maxLength(8192)) }), result: nothing },
  /** Opens a file (at a line, where the editor can) or a folder with the user's own program. */
  'shell.openPath': {
    params: z.object({ path: z.string().check(z.maxLength(4096)), line: z.nullable(z.int()) }),
    result: nothing,
  },
  'shell.chooseFolder': {
    params: z.object({ start: z.nullable(z.string()) }),
    result: z.object({ path: z.nullable(z.string()) }),
  },
  'shell.clipboardRead': { params: nothing, result: z.object({ text: z.string() }) },
  'shell.clipboardWrite': { params: z.object({ text: z.string().check(z.maxLength(16_000_000)) }), result: nothing },
  'shell.window': { params: z.object({ action: z.enum(['new', 'close', 'toggle-fullscreen', 'quit']) }), result: nothing },
  /** Makes `baton` a command of the user's. `isOnPath`: shells find it there by its name. */
  'shell.installCommand': { params: nothing, result: z.object({ path: z.string(), isOnPath: z.boolean() }) },
  /** The sessions that this window shows now; the desktop shell notifies about the others. */
  'shell.visibleSessions': { params: z.object({ runIds: z.array(RunId).check(z.maxLength(256)) }), result: nothing },

  'engine.status': {
    params: nothing,
    result: z.object({
      machineId: MachineId,
      machine: z.string(),
      version: z.string(),
      pid: z.int(),
      startedAt: z.string(),
      home: z.string(),
      clients: z.int(),
      running: z.int(),
      logBytes: z.int(),
      /** Where the local HTTP server listens; null while it does not. */
      port: z.nullable(z.int()),
      url: z.nullable(z.string()),
    }),
  },
  /** Ends a headless engine, and with it the programs in its sessions. One that is part of the app refuses: it ends with the app. */
  'engine.stop': { params: nothing, result: nothing },

  /** Every client that is connected, may come back, or has gone lately; the latest heard first. */
  'clients.list': { params: nothing, result: z.object({ clients: z.array(ClientSummary) }) },
  /** Closes the wires of these clients, the caller's own apart, and revokes their tokens. */
  'clients.disconnect': {
    params: z.union([z.object({ kind: ClientKind }), z.object({ clientId: ClientId })]),
    result: z.object({ disconnected: z.int() }),
  },

  /** The machines of the user's workspace, this one first, and how this one stands with their relay. */
  'machines.list': { params: nothing, result: MachineList },
  'machines.rename': { params: z.object({ machineId: MachineId, name: MachineName }), result: nothing },
  'machines.setRights': { params: z.object({ machineId: MachineId, rights: Rights }), result: nothing },
  /** Ends a machine's membership, for good: it hears nothing more and is cut off at once. */
  'machines.revoke': { params: z.object({ machineId: MachineId }), result: nothing },
  /** The passphrase that this machine's keys are sealed with, where `machines.keyProtection` wants one: once after each start. */
  'machines.unlock': { params: z.object({ passphrase: z.string().check(z.minLength(1), z.maxLength(1000)) }), result: nothing },
  /** Takes this machine out of its workspace. What it has stays here; the others keep what they have of it. */
  'workspace.leave': { params: nothing, result: nothing },

  /** What waits for other machines, oldest first; told by `outbox:changed`. */
  'outbox.list': {
    params: nothing,
    result: z.object({ items: z.array(z.object({ runId: RunId, ...OutboxItem.shape })) }),
  },
  /** Takes back what still waits. What was sent may have been carried out and is refused. */
  'outbox.cancel': { params: z.object({ inputId: InputId }), result: nothing },

  /** Opens the door to one new machine, for five minutes. Founds the workspace where there is none. */
  'pairing.offer': {
    params: z.object({ rights: Rights, relay: z.optional(RelayUrl) }),
    result: z.object({
      code: z.string(),
      /** HOST:PORT of the relay, where the new machine has to be told; else null. */
      address: z.nullable(z.string()),
      joinText: z.string(),
      /** RFC 3339. */
      expiresAt: z.string(),
    }),
  },
  /** Answers at once; how it goes on is told by `pairing:changed`. */
  'pairing.join': { params: z.object({ code: JoinText, relay: z.optional(RelayUrl) }), result: nothing },
  /** The person has compared the digits; `digits`: what the other machine shows, checked here again. Answers when it is let in. */
  'pairing.confirm': {
    params: z.object({ digits: z.nullable(z.string().check(z.maxLength(16))) }),
    result: nothing,
  },
  'pairing.decline': { params: nothing, result: nothing },
  'pairing.cancel': { params: nothing, result: nothing },
  'pairing.state': { params: nothing, result: z.object({ state: PairingState }) },

  /** Runs a relay inside this engine, from now on (`relay.embedded`). `host`: where it listens (`relay.host`). */
  'relay.start': {
    params: z.object({ host: z.optional(z.string().check(z.maxLength(260))) }),
    result: z.object(RelayStatus.shape),
  },
  'relay.stop': { params: nothing, result: z.object(RelayStatus.shape) },

  /** An address that lets one browser in, once, within seconds. Only for clients that are on this machine without a token. */
  'server.loginCode': {
    params: nothing,
    /** `publicUrls`: for browsers elsewhere (`server.hostNames`). */
    result: z.object({ code: z.string(), url: z.string(), publicUrls: z.array(z.string()), expiresAt: z.int() }),
  },
  /** What the engine and its HTTP server have done since they started. */
  'server.stats': {
    params: nothing,
    result: z.object({
      uptimeSeconds: z.number(),
      /** `route`: its pattern, never an address. */
      requests: z.array(z.object({ route: z.string(), status: z.int(), count: z.int() })),
      wires: z.record(Road, z.int()),
      events: z.int(),
      /** Over the last ten seconds. */
      eventsPerSecond: z.number(),
      /** Bodies of requests and answers, and frames of wires. */
      bytesIn: z.int(),
      bytesOut: z.int(),
      refusedAttempts: z.int(),
      reconnections: z.int(),
    }),
  },
} as const satisfies Record<string, { params: z.ZodMiniType; result: z.ZodMiniType }>;

export type Operations = typeof OPERATIONS;
export type OperationName = keyof Operations;
export const OperationName = z.enum(Object.keys(OPERATIONS) as [OperationName, ...OperationName[]]);
export type ParamsOf<N extends OperationName> = z.infer<Operations[N]['params']>;
export type ResultOf<N extends OperationName> = z.infer<Operations[N]['result']>;
