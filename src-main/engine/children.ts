import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { RunId } from '../../src-shared/ids.ts';
import type { Store } from '../store/store.ts';
import { killTree } from './process-tree.ts';

/**
 * The children that run for this engine, recorded with pid and start time, so that one that survives a crash is ended before
 * anything is resumed [claude-5]. The start time tells a child from a stranger that got its pid.
 */
export class Children {
  readonly #store: Pick<Store, 'putChild' | 'removeChild' | 'listChildren'>;

  constructor(store: Pick<Store, 'putChild' | 'removeChild' | 'listChildren'>) {
    this.#store = store;
  }

  async remember(runId: RunId, pid: number): Promise<void> {
    const startTime = await startTimeOf(pid);
    if (startTime !== null) await this.#store.putChild({ runId, pid, startTime });
  }

  forget(runId: RunId, pid: number): Promise<void> {
    return this.#store.removeChild(runId, pid);
  }

  /** Ends what an engine that died has left. Returns how many. */
  async reap(): Promise<number> {
    let reaped = 0;
    for (const { runId, pid, startTime } of await this.#store.listChildren()) {
      if ((await startTimeOf(pid)) === startTime) {
        // Claude's commands run in groups of their own.
        await killTree(pid);
        killGroup(pid);
        reaped += 1;
      }
      await this.#store.removeChild(runId, pid);
    }
    return reaped;
  }
}

function killGroup(pid: number): void {
  for (const target of process.platform === 'win32' ? [pid] : [-pid, pid]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch (error) {
      // No such group or process: it ended between the look and the kill.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}

const run = promisify(execFile);

/** When that process began, as the system writes it; null where there is no such process. Never compared between systems. */
async function startTimeOf(pid: number): Promise<string | null> {
  if (process.platform === 'linux') return linuxStartTime(pid);
  try {
    const { stdout } =
      process.platform === 'win32'
        ? await run('powershell.exe', ['-NoProfile', '-Command', `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`])
        : await run('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return stdout.trim() || null;
  } catch {
    // Both end with an error where there is no such process.
    return null;
  }
}

async function linuxStartTime(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The name, in brackets, may hold anything; field 22 is counted from behind it. A zombie is as good as gone.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
