import { resolve } from 'node:path';
import type { RunSessionClient } from '../../../src-shared/client.ts';
import { type MachineId, NO_SEQ } from '../../../src-shared/ids.ts';
import type { SessionSpec } from '../../../src-shared/session.ts';
import type { Settings } from '../../../src-shared/settings.ts';
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

const USUAL_SIZE = { cols: 80, rows: 24 };

export async function newSession(command: readonly string[], options: NewOptions): Promise<number | undefined> {
  if (options.kind === 'claude' && command.length > 0) {
    throw new Failure(EXIT.usage, 'A Claude session runs no command.', 'Start it, then prompt it: baton send - "…"');
  }
  const attaches = !options.detach && !options.json && process.stdin.isTTY && process.stdout.isTTY;
  const start = () =>
    withStartedEngine(async (client) => {
      const { settings } = await client.call('settings.get', {});
      const machineId = options.machine === undefined ? null : await otherMachine(client, options.machine);
      const spec = machineId === null ? specOf(command, options, settings) : specElsewhere(command, options, settings);
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

/** Folders, shells and options of this machine mean nothing there: what is not said is as that machine has it. */
function specElsewhere(command: readonly string[], options: NewOptions, settings: Settings): SessionSpec {
  const cwd = options.cwd ?? '~';
  const spec = specOf(command, options, settings);
  if (spec.kind === 'claude') return { ...spec, cwd, options: {} };
  return spec.kind === 'pty' && command.length === 0 ? { ...spec, cwd, command: null, args: [] } : { ...spec, cwd };
}

function specOf(command: readonly string[], options: NewOptions, settings: Settings): SessionSpec {
  const cwd = resolve(options.cwd ?? '.');
  if (options.kind === 'claude') {
    return {
      kind: 'claude',
      cwd,
      model: settings['claude.model'] || null,
      permissionMode: settings['claude.permissionMode'],
      options: settings['claude.options'],
      forkOf: null,
    };
  }
  const [program, ...args] = command;
  const { isTTY, columns, rows } = process.stdout;
  return {
    kind: 'pty',
    command: program ?? (settings['terminal.shell'] || null),
    args: program === undefined ? [...settings['terminal.shellArgs']] : args,
    cwd,
    env: {},
    ...(isTTY ? { cols: Math.max(2, columns), rows: Math.max(1, rows) } : USUAL_SIZE),
    term: 'xterm-256color',
    options: {},
    shellIntegration: settings['terminal.shellIntegration'],
  };
}
