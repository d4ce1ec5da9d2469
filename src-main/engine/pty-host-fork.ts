import { fork } from 'node:child_process';
import { entryPath } from '../entry-path.ts';
import type { PtyHostProcess } from './pty-host-client.ts';

/** The pty host as a forked process of plain Node. */
export function forkPtyHost(): PtyHostProcess {
  const child = fork(entryPath('pty-host'), [], {
    serialization: 'advanced',
    // Flags for main (an inspector's port, say) are not for it.
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return {
    pid: child.pid,
    postMessage: (message) => {
      // A failed send means that the host has died; `onExit` tells what follows from it.
      if (child.connected) child.send(Object(message), () => {});
    },
    onMessage: (listener) => void child.on('message', listener),
    onExit: (listener) => {
      child.once('error', (error) => listener(error.message));
      child.once('exit', (code, signal) =>
        listener(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`),
      );
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
