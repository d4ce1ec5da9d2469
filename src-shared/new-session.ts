import * as z from 'zod/mini';
import { ClaudeSpec, EchoSpec, PtySpec, type SessionSpec } from './session.ts';
import type { Settings } from './settings.ts';

const USUAL_SIZE = { cols: 80, rows: 24 };

/** What somebody asks for who wants a session: what is not said is as the settings have it; what nobody knows is a mistake. */
export const NewSession = z.discriminatedUnion('kind', [
  z.strictObject({ ...z.partial(PtySpec).shape, kind: z.literal('pty') }),
  z.strictObject({ ...z.partial(z.omit(ClaudeSpec, { forkOf: true })).shape, kind: z.literal('claude') }),
  z.strictObject({ ...z.partial(EchoSpec).shape, kind: z.literal('echo') }),
]);
export type NewSession = z.infer<typeof NewSession>;

/**
 * `isElsewhere`: it is to run on another machine, where this one's shell and Claude's options mean nothing: what is not said is as that
 * machine has it.
 */
export function specOf(wanted: NewSession, settings: Settings, isElsewhere = false): SessionSpec {
  const cwd = wanted.cwd ?? '~';
  switch (wanted.kind) {
    case 'pty': {
      const command = wanted.command ?? null;
      return {
        kind: 'pty',
        command: command ?? ((!isElsewhere && settings['terminal.shell']) || null),
        args: wanted.args ?? (command === null && !isElsewhere ? [...settings['terminal.shellArgs']] : []),
        cwd,
        env: wanted.env ?? {},
        cols: wanted.cols ?? USUAL_SIZE.cols,
        rows: wanted.rows ?? USUAL_SIZE.rows,
        term: wanted.term ?? 'xterm-256color',
        options: wanted.options ?? {},
        shellIntegration: wanted.shellIntegration ?? settings['terminal.shellIntegration'],
      };
    }
    case 'claude':
      return {
        kind: 'claude',
        cwd,
        model: wanted.model === undefined ? settings['claude.model'] || null : wanted.model,
        permissionMode: wanted.permissionMode ?? settings['claude.permissionMode'],
        options: wanted.options ?? (isElsewhere ? {} : settings['claude.options']),
        forkOf: null,
      };
    case 'echo':
      return { kind: 'echo', cwd };
  }
}
