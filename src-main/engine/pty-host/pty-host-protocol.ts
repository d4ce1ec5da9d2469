import * as z from 'zod/mini';

/** Messages between main and the pty host. `id` names a pty; main gives it out. */

/** Output of one pty that may be sent and not yet acknowledged; at this bound its reading stops, and with it the program. */
export const PTY_WINDOW_BYTES = 1024 * 1024;
/** Main acknowledges each time this much has been handed on. */
export const PTY_ACK_BYTES = 128 * 1024;
/** Input that a program has not read yet; what exceeds it is thrown away and said so. */
export const PTY_INPUT_BYTES = 16 * 1024 * 1024;

const id = z.int();

export const PtySpawn = z.object({
  file: z.string(),
  args: z.array(z.string()),
  cwd: z.string(),
  env: z.record(z.string(), z.string()),
  cols: z.int(),
  rows: z.int(),
  /** TERM inside. */
  term: z.string(),
  options: z.object({
    /** `latin1`: the program's bytes are turned into UTF-8 on their way out, and back on their way in. */
    encoding: z.optional(z.enum(['utf8', 'latin1'])),
    uid: z.optional(z.int()),
    gid: z.optional(z.int()),
    handleFlowControl: z.optional(z.boolean()),
    flowControlPause: z.optional(z.string()),
    flowControlResume: z.optional(z.string()),
    useConpty: z.optional(z.boolean()),
    useConptyDll: z.optional(z.boolean()),
    conptyInheritCursor: z.optional(z.boolean()),
  }),
});
export type PtySpawn = z.infer<typeof PtySpawn>;

export const ToPtyHostMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('spawn'), id, spawn: PtySpawn }),
  z.object({ type: z.literal('resize'), id, cols: z.int(), rows: z.int() }),
  z.object({ type: z.literal('pause'), id }),
  z.object({ type: z.literal('resume'), id }),
  /** Bytes handed on since the pty began: a running total. */
  z.object({ type: z.literal('ack'), id, bytes: z.int() }),
  /** SIGHUP, then SIGKILL after `graceMs`. Answered by `closed`, after `exit`. */
  z.object({ type: z.literal('close'), id, graceMs: z.number() }),
  /** Ends every program, then the host. */
  z.object({ type: z.literal('stop'), graceMs: z.number() }),
]);
export type ToPtyHostMessage = z.infer<typeof ToPtyHostMessage>;
/** Typed bytes are not JSON (pty-host-frames.ts). */
export type ToPtyHost = ToPtyHostMessage | { readonly type: 'write'; readonly id: number; readonly data: Uint8Array };

export const FromPtyHostMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('spawned'), id, pid: z.int() }),
  z.object({ type: z.literal('refused'), id, message: z.string() }),
  z.object({ type: z.literal('inputLost'), id, bytes: z.int() }),
  /** The program is gone and everything it wrote has been sent: `chunks` is the last chunk's number. */
  z.object({
    type: z.literal('exit'),
    id,
    chunks: z.int(),
    exitCode: z.nullable(z.int()),
    signal: z.nullable(z.string()),
  }),
  /** What `close` had to end is gone. */
  z.object({ type: z.literal('closed'), id }),
]);
export type FromPtyHostMessage = z.infer<typeof FromPtyHostMessage>;
export type FromPtyHost =
  | FromPtyHostMessage
  /** `chunk` counts from 1, without a gap. */
  | { readonly type: 'output'; readonly id: number; readonly chunk: number; readonly data: Uint8Array };

/** The one message on the process's own channel: where the pty host waits for main. It takes one connection. */
export const PtyHostListening = z.object({ type: z.literal('listening'), address: z.string() });
export type PtyHostListening = z.infer<typeof PtyHostListening>;
