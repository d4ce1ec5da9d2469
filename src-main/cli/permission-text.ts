import type { PermissionAsked } from '../../src-shared/events.ts';
import { EXIT, Failure } from './failure.ts';
import { oneLine, type Paint, plainText } from './output.ts';

/** A request in full: whoever answers has to see all that would be done. */
export function permissionText(asked: PermissionAsked, paint: Paint): string {
  const lines = [paint('yellow', `Claude asks to use ${oneLine(asked.title ?? asked.toolName)}`)];
  if (asked.reason !== null) lines.push(`  because: ${oneLine(asked.reason)}`);
  for (const [key, value] of Object.entries(asked.input)) {
    const text = typeof value === 'string' ? plainText(value) : JSON.stringify(value);
    lines.push(`  ${oneLine(key)}: ${text.split('\n').join('\n    ')}`);
  }
  return lines.join('\n');
}

/**
 * What runs inside a session must not answer for the person in front of it, neither a shell in a pane nor a command of Claude's.
 * It keeps mistakes out, not enemies: whoever has this user's rights can reach the socket in other ways.
 */
export function refusedInside(env: NodeJS.ProcessEnv = process.env): boolean {
  return env.BATON_SESSION_ID !== undefined || env.CLAUDECODE !== undefined;
}

export function refuseInside(): void {
  if (!refusedInside()) return;
  throw new Failure(
    EXIT.refused,
    'Permissions are not answered from inside a session.',
    'Answer in the window, or in a terminal that Baton did not start.',
  );
}
