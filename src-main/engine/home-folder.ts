import { homedir } from 'node:os';
import { join } from 'node:path';

/** `~` and `~/…` as people write them: clients need not know where this machine's home is. */
export function expandHome(path: string): string {
  if (path === '~' || path === '') return homedir();
  return /^~[/\\]/.test(path) ? join(homedir(), path.slice(2)) : path;
}
