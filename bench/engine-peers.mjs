// What engine.bench.mjs is compared with, where it is installed.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import pty from 'node-pty';
import { WebSocket } from 'ws';

export function isInstalled(program, versionFlag) {
  return spawnSync(program, [versionFlag], { stdio: 'ignore' }).status === 0;
}

/** ttyd into a WebSocket client that only counts: seconds from its start of the program to the program's last words. */
export async function ttydFlood(file, { cols, rows }) {
  const port = await freePort();
  const server = spawn('ttyd', ['-i', '127.0.0.1', '-p', `${port}`, 'sh', '-c', `cat '${file}'; printf 'the%s' ' end'`], {
    stdio: 'ignore',
  });
  const ended = once(server, 'exit');
  try {
    const socket = await connected(`ws://127.0.0.1:${port}/ws`);
    const from = performance.now();
    let tail = '';
    const said = new Promise((resolve, reject) => {
      socket.on('message', (message) => {
        // The first byte of a message is its kind; 0 is output.
        if (message[0] === 0x30) tail = (tail + message.subarray(Math.max(1, message.length - 64)).toString('latin1')).slice(-64);
        if (tail.includes('the end')) resolve();
      });
      socket.on('close', () => reject(new Error('ttyd closed before the end of the output')));
    });
    socket.send(JSON.stringify({ AuthToken: '', columns: cols, rows }));
    await said;
    const seconds = (performance.now() - from) / 1000;
    socket.terminate();
    return seconds;
  } finally {
    server.kill('SIGKILL');
    await ended;
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** As soon as somebody listens there. */
async function connected(url) {
  for (const until = performance.now() + 5000; ; ) {
    const socket = new WebSocket(url, 'tty', { perMessageDeflate: false });
    const failure = await new Promise((resolve) => {
      socket.once('open', () => resolve(null));
      socket.once('error', resolve);
    });
    if (failure === null) return socket;
    if (performance.now() > until) throw failure;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Milliseconds of each attach to a tmux session that has shown the file, from the start of the client to its last line. */
export async function tmuxAttach(file, attaches) {
  const socket = `baton-bench-${process.pid}`;
  const tmux = (...args) =>
    execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  tmux('new-session', '-d', '-x', '80', '-y', '24', `cat '${file}'; printf 'the%s' ' end'; read wait`);
  try {
    while (!tmux('capture-pane', '-p').includes('the end')) await new Promise((resolve) => setTimeout(resolve, 50));
    const times = [];
    for (let attach = 0; attach < attaches; attach++) {
      const from = performance.now();
      const child = pty.spawn('tmux', ['-L', socket, 'attach'], { cols: 80, rows: 25 });
      let shown = '';
      await new Promise((resolve) => {
        child.onData((data) => {
          shown += data;
          if (shown.includes('the end')) resolve();
        });
      });
      times.push(performance.now() - from);
      const gone = new Promise((resolve) => child.onExit(resolve));
      child.kill();
      await gone;
    }
    return times;
  } finally {
    tmux('kill-server');
  }
}
