import { randomUUID } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readToPtyHost } from './pty-host-frames.ts';
import { Outbox } from './pty-host-outbox.ts';
import type { PtyHostListening, ToPtyHost } from './pty-host-protocol.ts';
import { HostedTerminal } from './pty-host-terminal.ts';
import { openUnixPty } from './pty-host-unix.ts';
import { openWindowsPty } from './pty-host-windows.ts';

/**
 * The pty host: a process of its own, so that nothing that keeps main busy can cost a program's output. It never waits for
 * main: what main has not acknowledged is bounded per pty, and beyond that the program waits.
 */

/** When main is gone its programs get this long to end by themselves. */
const ORPHAN_GRACE_MS = 2000;

/** What Electron gives a utility process; a process forked by plain Node has `process.send` instead. */
interface ParentPort extends EventEmitter {
  postMessage(message: unknown): void;
}
const parentPort = 'parentPort' in process ? (process.parentPort as ParentPort) : null;

const open = process.platform === 'win32' ? openWindowsPty : openUnixPty;
const terminals = new Map<number, HostedTerminal>();

const outbox = new Outbox();
let main: Socket | null = null;

function spawn({ id, spawn }: Extract<ToPtyHost, { type: 'spawn' }>): void {
  try {
    terminals.set(id, new HostedTerminal(id, spawn, open, outbox, () => void terminals.delete(id)));
  } catch (error) {
    outbox.message({ type: 'refused', id, message: error instanceof Error ? error.message : String(error) });
  }
}

async function close(id: number, graceMs: number): Promise<void> {
  await terminals.get(id)?.end(graceMs);
  outbox.message({ type: 'closed', id });
}

let isStopping = false;
async function stop(graceMs: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  await Promise.all([...terminals.values()].map((terminal) => terminal.end(graceMs)));
  if (main?.writable !== true) process.exit(0);
  // What they said last goes out first.
  main.end(() => process.exit(0));
}

function handle(message: ToPtyHost): void {
  if (message.type === 'stop') {
    void stop(message.graceMs);
    return;
  }
  if (message.type === 'spawn') {
    spawn(message);
    return;
  }
  if (message.type === 'close') {
    void close(message.id, message.graceMs);
    return;
  }
  // Without one: its program ended while the message was under way.
  const terminal = terminals.get(message.id);
  if (terminal !== undefined) handleFor(terminal, message);
}

function handleFor(terminal: HostedTerminal, message: Exclude<ToPtyHost, { type: 'spawn' | 'close' | 'stop' }>): void {
  switch (message.type) {
    case 'write':
      terminal.write(message.data);
      break;
    case 'resize':
      terminal.resize(message.cols, message.rows);
      break;
    case 'pause':
    case 'resume':
      terminal.setPaused(message.type === 'pause');
      break;
    case 'ack':
      terminal.acknowledge(message.bytes);
      break;
  }
}

function onDisconnect(): void {
  void stop(ORPHAN_GRACE_MS);
}

/** Waits for main at an address that only this user can reach, takes one connection, and removes the address again. */
function listen(): void {
  const { address, folder } = newAddress();
  const server = createServer((socket) => {
    main = socket;
    server.close();
    removeFolder();
    const frames = readToPtyHost(handle);
    socket.on('data', (bytes) => frames.push(bytes));
    // The end follows.
    socket.on('error', () => {});
    socket.on('close', onDisconnect);
    outbox.open(socket);
  });
  const removeFolder = (): void => {
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', removeFolder);
  server.listen(address, () => {
    const listening: PtyHostListening = { type: 'listening', address };
    if (parentPort !== null) parentPort.postMessage(listening);
    // A failed send means that main has died; `disconnect` is about to tell.
    else if (process.connected) process.send?.(listening, undefined, undefined, () => {});
  });
}

/** Longer paths than this do not fit into a socket's address everywhere. */
const MAX_FOLDER_BYTES = 80;

function newAddress(): { readonly address: string; readonly folder: string | null } {
  if (process.platform === 'win32') return { address: `\\\\.\\pipe\\baton-pty-${randomUUID()}`, folder: null };
  const folder = mkdtempSync(join(Buffer.byteLength(tmpdir()) > MAX_FOLDER_BYTES ? '/tmp' : tmpdir(), 'baton-pty-'));
  return { address: join(folder, 'socket'), folder };
}

process.title = 'baton pty host';
// Ctrl+C in the terminal that Baton was started from is main's to decide about.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('SIGTERM', onDisconnect);
if (parentPort !== null) parentPort.on('close', onDisconnect);
else process.on('disconnect', onDisconnect);
listen();
