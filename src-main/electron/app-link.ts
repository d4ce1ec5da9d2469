import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { RunId } from '../../src-shared/ids.ts';

/** What starting Baton (again) or opening one of its links asks for. Both come from anywhere: they show things and run nothing. */
export type StartRequest =
  | { readonly is: 'show' }
  | { readonly is: 'session'; readonly runId: RunId }
  /** `baton FOLDER`: a terminal there. */
  | { readonly is: 'folder'; readonly path: string };

const MAX_LINK_LENGTH = 200;

/** `baton://session/<runId>`; null: no link that Baton follows. */
export function parseLink(text: string): RunId | null {
  if (text.length > MAX_LINK_LENGTH || !URL.canParse(text)) return null;
  const { protocol, host, pathname, search, hash, username, port } = new URL(text);
  if (protocol !== 'baton:' || host !== 'session' || `${search}${hash}${username}${port}` !== '') return null;
  const read = RunId.safeParse(pathname.slice(1));
  return read.success ? read.data : null;
}

/** `args`: what follows the app's own path on the command line of a process that was started in `cwd`. */
export async function startRequest(args: readonly string[], cwd: string): Promise<StartRequest> {
  for (const arg of args) {
    // Chromium adds switches of its own.
    if (arg.startsWith('-')) continue;
    if (/^baton:/i.test(arg)) {
      const runId = parseLink(arg);
      return runId === null ? { is: 'show' } : { is: 'session', runId };
    }
    const path = isAbsolute(arg) ? arg : resolve(cwd, arg);
    if (await isFolder(path)) return { is: 'folder', path };
  }
  return { is: 'show' };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
