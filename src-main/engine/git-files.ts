import { spawn } from 'node:child_process';

/** Names longer than this are dropped: no path of a file system is. */
const MAX_NAME_BYTES = 16 * 1024;

/**
 * Files of the repository that `cwd` lies in, those below `cwd` only: tracked ones, and new ones that .gitignore does not name.
 * null: no repository, or no git. At most `limit`, and none after `signal`.
 */
export async function gitFiles(
  cwd: string,
  limit: number,
  signal: AbortSignal,
): Promise<{ files: string[]; isCut: boolean } | null> {
  // A repository's own configuration may name a program to run as fsmonitor: opening a folder must not start it.
  const args = ['-c', 'core.fsmonitor=false', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  const child = spawn('git', args, {
    cwd,
    env: { ...process.env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' },
    stdio: ['ignore', 'pipe', 'ignore'],
    signal,
    windowsHide: true,
  });
  const ended = new Promise<number | null>((resolve) => {
    child.on('error', () => resolve(null));
    child.once('close', resolve);
  });
  const files: string[] = [];
  let isCut = false;
  let rest: Buffer = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    if (isCut) return;
    rest = takeNames(Buffer.concat([rest, chunk]), files);
    isCut = files.length >= limit || rest.byteLength > MAX_NAME_BYTES;
    if (isCut) child.kill();
  });
  const code = await ended;
  if (isCut || signal.aborted) return { files: files.slice(0, limit), isCut: true };
  return code === 0 ? { files, isCut: false } : null;
}

/** Moves whole names, each ended by NUL, into `files`; returns what is left. */
function takeNames(bytes: Buffer, files: string[]): Buffer {
  let from = 0;
  for (let end = bytes.indexOf(0, from); end >= 0; end = bytes.indexOf(0, from)) {
    files.push(bytes.toString('utf8', from, end));
    from = end + 1;
  }
  return bytes.subarray(from);
}
