import { resolve } from 'node:path';
import type { RunSessionClient } from '../../../src-shared/client.ts';
import { type MachineId, NO_SEQ } from '../../../src-shared/ids.ts';
import { type NewSession, specOf } from '../../../src-shared/new-session.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../detach-keys.ts';
import { newInputId, withStartedEngine } from '../engine-client.ts';
import { EXIT, Failure } from '../failure.ts';
import { findMachine } from '../find-machine.ts';
import { printJson, printLine } from '../output.ts';
import { asOwnFailure, attachTo } from './attach.ts';

interface NewOptions {
  readonly kind: 'pty' | 'claude';
  readonly title?: string;
  readonly cwd?: string;
  readonly machine?: string;
  readonly detach?: boolean;
  readonly json?: boolean;
}

export async function newSession(command: readonly string[], options: NewOptions): Promise<number | undefined> {
  if (options.kind === 'claude' && command.length > 0) {
    throw new Failure(EXIT.usage, 'A Claude session runs no command.', 'Start it, then prompt it: baton send - "…"');
  }
  const attaches = !options.detach && !options.json && process.stdin.isTTY && process.stdout.isTTY;
  const start = () =>
    withStartedEngine(async (client) => {
      const { settings } = await client.call('settings.get', {});
      const machineId = options.machine === undefined ? null : await otherMachine(client, options.machine);
      const isElsewhere = machineId !== null;
      const spec = specOf(wantedSession(command, options, isElsewhere), settings, isElsewhere);
      const where = machineId === null ? {} : { machineId };
      const asked = { inputId: newInputId(), spec, title: options.title ?? null, ...where };
      const { session } = await client.call('session.create', asked);
      if (attaches) {
        const detachKeys = parseDetachKeys(DEFAULT_DETACH_KEYS);
        return await attachTo(client, session, { after: NO_SEQ, detachKeys, isReadOnly: false, fitsWindow: true });
      }
      if (options.json) printJson({ runId: session.runId });
      else printLine(session.runId);
      return undefined;
    });
  return attaches ? await asOwnFailure(start) : await start();
}

/** Null where this machine was named. */
async function otherMachine(client: RunSessionClient, wanted: string): Promise<MachineId | null> {
  const { machines } = await client.call('machines.list', {});
  const { machineId, self } = findMachine(machines, wanted);
  return self ? null : machineId;
}

/** A folder of this machine means nothing on another one. */
function wantedSession(command: readonly string[], options: NewOptions, isElsewhere: boolean): NewSession {
  const cwd = isElsewhere ? options.cwd : resolve(options.cwd ?? '.');
  if (options.kind === 'claude') return { kind: 'claude', cwd };
  const [program, ...args] = command;
  const { isTTY, columns, rows } = process.stdout;
  const size = isTTY ? { cols: Math.max(2, columns), rows: Math.max(1, rows) } : {};
  return { kind: 'pty', cwd, ...size, ...(program === undefined ? {} : { command: program, args }) };
}
