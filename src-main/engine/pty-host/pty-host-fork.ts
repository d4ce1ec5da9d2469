import { fork } from 'node:child_process';
import { entryPath } from '../../entry-path.ts';
import { linkPtyHost, type PtyHostProcess } from './pty-host-link.ts';

/** The pty host as a forked process of plain Node. */
export function forkPtyHost(): PtyHostProcess {
  const child = fork(entryPath('pty-host'), [], {
    // Flags for main (an inspector's port, say) are not for it.
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return linkPtyHost({
    pid: child.pid,
    onMessage: (listener) => void child.on('message', listener),
    onExit: (listener) => {
      child.once('error', (error) => listener(error.message));
      child.once('exit', (code, signal) =>
        listener(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`),
      );
    },
    kill: () => void child.kill('SIGKILL'),
  });
}
