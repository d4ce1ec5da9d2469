import { utilityProcess } from 'electron';
import { linkPtyHost, type PtyHostProcess } from '../engine/pty-host/pty-host-link.ts';
import { entryPath } from '../entry-path.ts';

/** The pty host as a utility process of Electron's. */
export function spawnPtyHostUtility(): PtyHostProcess {
  const child = utilityProcess.fork(entryPath('pty-host'), [], {
    serviceName: 'Baton terminals',
    // Flags for main (an inspector's port, say) are not for it.
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return linkPtyHost({
    get pid() {
      return child.pid;
    },
    onMessage: (listener) => void child.on('message', listener),
    onExit: (listener) => void child.once('exit', (code) => listener(`it ended with code ${code}`)),
    kill: () => {
      if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL');
    },
  });
}
