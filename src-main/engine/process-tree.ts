import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Ends a process and everything it started. Claude Code's commands run in sessions of their own, so that neither its death nor a
 * signal to its group reaches them: they are found by their parents while those still live.
 */
export async function killTree(pid: number): Promise<void> {
  if (process.platform === 'win32') {
    await run('taskkill', ['/pid', String(pid), '/T', '/F']);
    return;
  }
  // The parent is stopped first: what it starts between the look and the kill would get away.
  signalQuietly(pid, 'SIGSTOP');
  const family = descendants(pid, process.platform === 'linux' ? parentsFromProc() : await parentsFromPs());
  for (const member of [pid, ...family]) signalQuietly(member, 'SIGKILL');
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already, which is what was wanted.
  }
}

/** All processes below `root`, nearest first. */
export function descendants(root: number, parents: ReadonlyMap<number, number>): number[] {
  const found = [root];
  for (const parent of found) for (const [pid, ppid] of parents) if (ppid === parent && !found.includes(pid)) found.push(pid);
  return found.slice(1);
}

function parentsFromProc(): Map<number, number> {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    try {
      // The second field, the program's name, may hold spaces and parentheses; the last ")" ends it.
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      parents.set(pid, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It ended while we were reading.
    }
  }
  return parents;
}

async function parentsFromPs(): Promise<Map<number, number>> {
  const lines = (await run('ps', ['-axo', 'pid=,ppid='])).split('\n');
  return new Map(
    lines.flatMap((line): [number, number][] => {
      const [pid, ppid] = line.trim().split(/\s+/).map(Number);
      return pid === undefined || ppid === undefined ? [] : [[pid, ppid]];
    }),
  );
}

/** What the program prints; nothing when it fails. */
function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, args, { windowsHide: true }, (_error, stdout) => resolve(stdout));
  });
}
