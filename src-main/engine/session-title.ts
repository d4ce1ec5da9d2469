import { basename } from 'node:path';
import type { SessionSpec, SessionState } from '../../src-shared/session.ts';

/**
 * What lists show: the user's own title (`given`, else the log's), else the program's, else one made from command or folder. Never
 * empty.
 */
export function titleOf(state: SessionState, spec: SessionSpec, given: string | null | undefined): string {
  return namedTitle(state, given) ?? defaultTitle(state, spec);
}

/** Null where nobody has named it, neither a user nor the program. `given`: by a user on any machine; undefined: nobody has said anything. */
export function namedTitle(state: SessionState, given: string | null | undefined): string | null {
  return (given === undefined ? state.title : given) ?? state.programTitle;
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
