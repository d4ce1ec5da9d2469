import * as z from 'zod/mini';
import { Cells, PermissionAsked, PromptContent, TurnOutcome, Usage } from './events.ts';
import { Epoch, InputId, MachineId, RunId, Seq } from './ids.ts';

/** What a session is, seen from outside: what it was created from, and the one-line summary that lists show. */
export const PtySpec = z.object({
  kind: z.literal('pty'),
  /** null: the user's login shell. */
  command: z.nullable(z.string()),
  args: z.array(z.string()),
  /** The folder it starts in; the host expands `~` and `~/…`. */
  cwd: z.string(),
  /** Added to the machine's own environment. */
  env: z.record(z.string(), z.string()),
  cols: z.int().check(z.gte(2), z.lte(1000)),
  rows: z.int().check(z.gte(1), z.lte(1000)),
  /** TERM inside. */
  term: z.string(),
  /** Further options of node-pty (encoding, uid, gid, flow control, ConPTY …). */
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Mark commands and report the folder (OSC 133 and 7) by extending the shell's start-up. */
  shellIntegration: z.boolean(),
});
export type PtySpec = z.infer<typeof PtySpec>;

export const PermissionMode = z.enum(['default', 'acceptEdits', 'plan', 'bypassPermissions', 'dontAsk', 'auto']);
export type PermissionMode = z.infer<typeof PermissionMode>;

export const ClaudeSpec = z.object({
  kind: z.literal('claude'),
  cwd: z.string(),
  /** null: Claude Code's own default. */
  model: z.nullable(z.string()),
  permissionMode: PermissionMode,
  /** Further options of the Agent SDK, by their own names; checked by the adapter. */
  options: z.record(z.string(), z.json()),
  /** Continue another session's conversation from this point (its transcript is read from that session's log). */
  forkOf: z.nullable(z.object({ runId: RunId, seq: Seq })),
});
export type ClaudeSpec = z.infer<typeof ClaudeSpec>;

/** Answers with what it is sent: the smallest session there is, for tests and diagnosis. */
export const EchoSpec = z.object({ kind: z.literal('echo'), cwd: z.string() });
export type EchoSpec = z.infer<typeof EchoSpec>;

export const SessionSpec = z.discriminatedUnion('kind', [PtySpec, ClaudeSpec, EchoSpec]);
export type SessionSpec = z.infer<typeof SessionSpec>;

/** waiting = needs the user; interrupted = the engine died while it ran; moving = on its way to another machine. */
export const SessionStatus = z.enum(['starting', 'running', 'waiting', 'idle', 'moving', 'ended', 'interrupted']);
export type SessionStatus = z.infer<typeof SessionStatus>;

export const QueuedPrompt = z.object({ inputId: InputId, clientId: z.string(), content: PromptContent, queuedTs: z.int() });
export type QueuedPrompt = z.infer<typeof QueuedPrompt>;

/** Everything about a session that is true now and that a viewer must know however little of the log it has. Folded by session-state.ts. */
export const SessionState = z.object({
  status: SessionStatus,
  exit: z.nullable(z.object({ exitCode: z.nullable(z.int()), signal: z.nullable(z.string()), reason: z.nullable(z.string()) })),
  title: z.nullable(z.string()),
  programTitle: z.nullable(z.string()),
  cwd: z.string(),
  pid: z.nullable(z.int()),
  cols: Cells,
  rows: Cells,
  queue: z.array(QueuedPrompt),
  /** The turn in progress; null while none. */
  turn: z.nullable(z.object({ inputId: z.nullable(InputId), sinceTs: z.int(), seq: Seq })),
  lastTurn: z.nullable(z.object({ outcome: TurnOutcome, message: z.nullable(z.string()), ts: z.int() })),
  permissions: z.array(z.object({ asked: PermissionAsked, seq: Seq, ts: z.int() })),
  claude: z.nullable(
    z.object({
      claudeSessionId: z.nullable(z.string()),
      model: z.nullable(z.string()),
      permissionMode: z.string(),
      slashCommands: z.array(z.object({ name: z.string(), description: z.string(), argumentHint: z.string() })),
      mcpServers: z.array(z.object({ name: z.string(), status: z.string() })),
      usage: z.nullable(Usage),
      blocked: z.nullable(z.object({ code: z.string(), message: z.string() })),
    }),
  ),
});
export type SessionState = z.infer<typeof SessionState>;

/** How a session that another machine hosts stands here. */
export const RemoteStanding = z.object({
  /**
   * `live`: what its host has is here. `behind`: more is on its way. `away`: its host is out of reach. `forked`: its host's log is
   * another one than what was kept here; both are kept, and it is not followed any more. `refused`: what came of it cannot be its
   * host's, or not be read; it is not followed until this machine's engine starts anew.
   */
  connection: z.enum(['live', 'behind', 'away', 'forked', 'refused']),
  /** About how much of its log is still on its way, as its host says; null: hardly any, or its host has not said. */
  behindBytes: z.nullable(z.int()),
  /** When the newest of it arrived; null: nothing has yet. RFC 3339. */
  heardAt: z.nullable(z.string()),
  /** false: the beginning is still being loaded. */
  historyComplete: z.boolean(),
});
export type RemoteStanding = z.infer<typeof RemoteStanding>;

export const SessionSummary = z.object({
  runId: RunId,
  kind: z.enum(['pty', 'claude', 'echo']),
  status: SessionStatus,
  /** What lists show: the user's own title, else the program's, else one made from command or folder. Never empty. */
  title: z.string(),
  cwd: z.string(),
  machine: z.string(),
  machineId: MachineId,
  epoch: Epoch,
  lastSeq: Seq,
  /** RFC 3339, UTC. */
  createdAt: z.string(),
  lastActivityAt: z.string(),
  /** Permission requests that wait for an answer. */
  permissions: z.int(),
  queued: z.int(),
  exitCode: z.nullable(z.int()),
  /** Clients that have it attached now. */
  viewers: z.int(),
  branchOf: z.nullable(z.object({ runId: RunId, seq: Seq })),
  /** The machines that are told when it needs the user, ends or fails. */
  followers: z.array(MachineId),
  /** The machine that tells this is one of them. */
  followed: z.boolean(),
  /** null: the machine that tells this hosts it. */
  remote: z.nullable(RemoteStanding),
  /** Why the machine that hosts it cannot send it to the user's others, as that machine tells it; null: nothing is in the way. */
  unsent: z.nullable(z.string()),
});
export type SessionSummary = z.infer<typeof SessionSummary>;
