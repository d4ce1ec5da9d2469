import { constants } from 'node:os';
import type { PtySpawn } from './pty-host-protocol.ts';

/** One pty inside the pty host. Unix and Windows each have their own (pty-host-unix.ts, pty-host-windows.ts). */
export interface HostedPty {
  readonly pid: number;
  write(data: Uint8Array): void;
  resize(cols: number, rows: number): void;
  setReading(isReading: boolean): void;
  /** Ends the program: politely, then by force. Resolves when nothing of it is left (or nothing more can be done). */
  end(graceMs: number): Promise<void>;
}

export interface HostedPtyEvents {
  /** The bytes are valid during the call only. */
  onData(bytes: Uint8Array): void;
  onInputLost(bytes: number): void;
  /** Comes once, after everything that was read. */
  onExit(exit: { readonly exitCode: number | null; readonly signal: string | null }): void;
}

/** Throws with the reason where the program cannot be started. */
export type OpenPty = (spawn: PtySpawn, events: HostedPtyEvents) => HostedPty;

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** A program ended by a signal has no exit code of its own. */
export function exitOf(exitCode: number, signal: number | undefined): { exitCode: number | null; signal: string | null } {
  if (!signal) return { exitCode, signal: null };
  return { exitCode: null, signal: signalNames.get(signal) ?? `signal ${signal}` };
}
