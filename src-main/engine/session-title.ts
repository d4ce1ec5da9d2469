import { basename } from 'node:path';
import type { SessionSpec, SessionState } from '../../src-shared/session.ts';

/** What lists show: the user's own title, else the program's, else one made from command or folder. Never empty. */
export function titleOf(state: SessionState, spec: SessionSpec): string {
  return state.title ?? state.programTitle ?? defaultTitle(state, spec);
}

function defaultTitle(state: SessionState, spec: SessionSpec): string {
  const folder = basename(state.cwd) || state.cwd || 'session';
  switch (spec.kind) {
    case 'pty':
      return spec.command === null ? folder : [basename(spec.command), ...spec.args].join(' ').slice(0, 80);
    case 'claude':
      return `Claude in ${folder}`;
    case 'echo':
      return 'Echo';
  }
}
