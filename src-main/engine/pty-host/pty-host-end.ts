import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** How often it is looked whether what was told to end has ended: at first, and at most. */
const FIRST_LOOK_MS = 5;
const LAST_LOOK_MS = 100;

/**
 * Ends the program of a terminal as closing a terminal does: SIGHUP (and SIGCONT, a stopped program hears nothing) to its
 * process group and to the one in the foreground; a shell passes it on to its jobs. What is left of these groups after
 * `graceMs`, and then everything else that belongs to the terminal, gets SIGKILL. Jobs that were told to outlive their
 * terminal (nohup, disown) live on if their shell leaves in time, as everywhere.
 */
export async function endProcesses(pid: number, exited: Promise<void>, graceMs: number): Promise<void> {
  const groups = new Set([pid, await foregroundGroup(pid)]);
  let hasExited = false;
  const exit = exited.then(() => {
    hasExited = true;
  });
  const deadline = performance.now() + graceMs;
  for (let lookMs = FIRST_LOOK_MS; performance.now() < deadline; lookMs = Math.min(lookMs * 2, LAST_LOOK_MS)) {
    // Again at each look: a shell that is still reading its start-up files forgets the first one.
    for (const group of groups) hangUp(group);
    await Promise.race([hasExited ? delay(lookMs) : exit, delay(Math.min(lookMs, Math.max(deadline - performance.now(), 1)))]);
    if (hasExited && ![...groups].some((group) => isGroupAlive(group))) return;
  }
  groups.add(await foregroundGroup(pid));
  if (!hasExited) for (const member of sessionMembers(pid)) signal(member, 'SIGKILL');
  for (const group of groups) signalGroup(group, 'SIGKILL');
}

/** The process group that the terminal's keyboard belongs to; the program's own where that cannot be told. */
async function foregroundGroup(pid: number): Promise<number> {
  const found = process.platform === 'linux' ? statOf(pid)?.foregroundGroup : await foregroundGroupByPs(pid);
  return found !== undefined && found > 1 ? found : pid;
}

async function foregroundGroupByPs(pid: number): Promise<number | undefined> {
  try {
    const { stdout } = await run('ps', ['-o', 'tpgid=', '-p', `${pid}`]);
    return Number.parseInt(stdout, 10) || undefined;
  } catch {
    // ps knows no such process: it has exited.
    return undefined;
  }
}

interface ProcessStat {
  readonly state: string;
  readonly group: number;
  readonly session: number;
  readonly foregroundGroup: number;
}

/** Linux: /proc/<pid>/stat. The name in it, in parentheses, may hold anything. */
function statOf(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const [state = '', , group, session, , foreground] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state, group: Number(group), session: Number(session), foregroundGroup: Number(foreground) };
}

function livingProcesses(): readonly { readonly pid: number; readonly stat: ProcessStat }[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    const stat = pid > 0 ? statOf(pid) : undefined;
    // A zombie has ended; its parent has not looked yet (in a container without a reaper it never will).
    return stat === undefined || stat.state === 'Z' || stat.state === 'X' ? [] : [{ pid, stat }];
  });
}

function isGroupAlive(group: number): boolean {
  if (!signalGroup(group, 0)) return false;
  return process.platform !== 'linux' || livingProcesses().some(({ stat }) => stat.group === group);
}

/** Everything that was started in the terminal whose first program is `pid` and has not left it. Empty where /proc does not tell. */
function sessionMembers(pid: number): readonly number[] {
  if (process.platform !== 'linux') return [];
  return livingProcesses().flatMap(({ pid: member, stat }) => (stat.session === pid ? [member] : []));
}

function hangUp(group: number): void {
  signalGroup(group, 'SIGHUP');
  signalGroup(group, 'SIGCONT');
}

function signalGroup(group: number, signalName: NodeJS.Signals | 0): boolean {
  return signal(-group, signalName);
}

function signal(target: number, signalName: NodeJS.Signals | 0): boolean {
  try {
    process.kill(target, signalName);
    return true;
  } catch {
    // ESRCH: it has ended. EPERM: another user's (sudo); only its own terminal's hang-up reaches it.
    return false;
  }
}
