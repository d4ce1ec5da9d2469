import { access, constants, stat } from 'node:fs/promises';
import { basename, delimiter, extname, isAbsolute, join } from 'node:path';
import { RefusalError } from '../../src-shared/refusal.ts';

/** The address as it may be given to the user's browser. Anything but a web address could start a program. */
export function webAddress(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return parsed.href;
  throw new RefusalError('not-allowed', 'Baton opens only http and https addresses.', 'Copy it and open it yourself.');
}

/** How to open a path without ever running it: what it names may have come out of a program's output. */
export type Opening =
  | { readonly by: 'editor'; readonly command: string; readonly args: readonly string[] }
  /** With whatever the system opens such a file or folder with. */
  | { readonly by: 'system' }
  /** Opening would run it: show where it lies instead. */
  | { readonly by: 'file-manager' };

/** Files that the system runs when they are opened, beside those that are marked as executable. */
const RUN_WHEN_OPENED =
  /^\.(app|appimage|bat|cmd|com|command|cpl|desktop|exe|hta|inf|jar|js|jse|lnk|mpkg|msc|msi|msp|pif|pkg|ps1|py|pyw|reg|scpt|scr|sct|sh|shb|tool|url|vb|vbe|vbs|webloc|workflow|ws|wsc|wsf|wsh)$/i;

/** Editors with a window of their own that can go to a line, and how. */
const EDITORS: Readonly<Record<string, (path: string, line: number) => string[]>> = {
  code: (path, line) => ['--goto', `${path}:${line}`],
  codium: (path, line) => ['--goto', `${path}:${line}`],
  cursor: (path, line) => ['--goto', `${path}:${line}`],
  windsurf: (path, line) => ['--goto', `${path}:${line}`],
  zed: (path, line) => [`${path}:${line}`],
  subl: (path, line) => [`${path}:${line}`],
  idea: (path, line) => ['--line', String(line), path],
  webstorm: (path, line) => ['--line', String(line), path],
  pycharm: (path, line) => ['--line', String(line), path],
  gvim: (path, line) => [`+${line}`, path],
  kate: (path, line) => ['--line', String(line), path],
};

export async function planOpening(path: string, line: number | null, env: NodeJS.ProcessEnv): Promise<Opening> {
  if (!isAbsolute(path)) throw new RefusalError('bad-request', `${path} is not a whole path.`);
  const found = await stat(path).catch(() => {
    throw new RefusalError('unknown-target', `There is no file or folder ${path}.`);
  });
  const isFile = found.isFile();
  if (isFile && line !== null) {
    const editor = await findEditor(env);
    if (editor !== null) return { by: 'editor', command: editor.command, args: editor.args(path, line) };
  }
  const isMarked = isFile && process.platform !== 'win32' && (found.mode & 0o111) !== 0;
  return { by: isMarked || RUN_WHEN_OPENED.test(extname(path)) ? 'file-manager' : 'system' };
}

/** The one that VISUAL or EDITOR names, if it has a window; else the first of the known ones that is there. */
async function findEditor(
  env: NodeJS.ProcessEnv,
): Promise<{ command: string; args: (path: string, line: number) => string[] } | null> {
  // What a batch file is given on Windows is read by a command interpreter, which a path could speak to.
  if (process.platform === 'win32') return null;
  const wanted = [env.VISUAL, env.EDITOR].flatMap((value) => value?.trim().split(/\s+/)[0] ?? []);
  for (const name of [...wanted, ...Object.keys(EDITORS)]) {
    const args = EDITORS[basename(name)];
    const command = args === undefined ? null : await onPath(name, env.PATH ?? '');
    if (args !== undefined && command !== null) return { command, args };
  }
  return null;
}

async function onPath(name: string, path: string): Promise<string | null> {
  const candidates = isAbsolute(name)
    ? [name]
    : path.split(delimiter).flatMap((folder) => (isAbsolute(folder) ? join(folder, name) : []));
  for (const candidate of candidates) {
    try {
      await access(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not there: the next one may be.
    }
  }
  return null;
}
