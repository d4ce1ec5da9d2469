import { readlinkSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { TerminalColors } from './screen-colors.ts';
import { PastLines } from './screen-lines.ts';
import type { Fed, FromScreenWorker, ToScreenWorker } from './screen-protocol.ts';
import { ScreenTerminal } from './screen-terminal.ts';
import { Turns } from './screen-turns.ts';

/** The worker thread that keeps the screens of all terminals, and turns their past into lines. */

/** A third of the processor time that others get where there is not enough of it. */
const NICE_STEPS = 5;

if (parentPort === null) throw new Error('screen-worker runs as a worker thread');
const port = parentPort;
const post = (message: FromScreenWorker): void => port.postMessage(message);

letOthersGoFirst();
const turns = new Turns();
const terminals = new Map<number, ScreenTerminal>();
const pasts = new Map<number, PastLines>();
const running = new Set<number>();
let colors: TerminalColors = { foreground: '#ffffff', background: '#000000', cursor: '#ffffff', palette: [] };

process.on('uncaughtException', (error) => {
  if (!turns.fail(error)) throw error;
});

function open(message: Extract<ToScreenWorker, { type: 'open' }>): void {
  const { id } = message;
  const terminal = new ScreenTerminal(
    { ...message, colors },
    {
      onParsed: (seq, bytes) => post({ type: 'parsed', id, seq, bytes }),
      onReply: (text) => post({ type: 'reply', id, text }),
      onDetails: (details) => post({ type: 'details', id, details }),
      onStore: (screen) => post({ type: 'store', id, screen }),
    },
  );
  terminals.set(id, terminal);
  running.add(id);
  void work(id, terminal, true);
}

/** Until its queue is empty. */
async function work(id: number, terminal: ScreenTerminal, isNew: boolean): Promise<void> {
  try {
    if (isNew) await turns.run(() => terminal.restore());
    while (terminals.get(id) === terminal && terminal.hasWork) {
      await terminal.pause();
      await turns.run(() => terminal.step());
    }
  } catch (error) {
    close(id);
    post({ type: 'failed', id, message: messageOf(error) });
  } finally {
    running.delete(id);
  }
}

function feed({ id, event }: Fed): void {
  const terminal = terminals.get(id);
  if (terminal === undefined) return;
  terminal.feed(event);
  ensureRunning(id, terminal);
}

function ensureRunning(id: number, terminal: ScreenTerminal): void {
  if (running.has(id)) return;
  running.add(id);
  void work(id, terminal, false);
}

function takeScreen({ id, call, scrollbackLines, now }: Extract<ToScreenWorker, { type: 'screen' }>): void {
  const terminal = terminals.get(id);
  if (terminal === undefined) {
    post({ type: 'refused', call, message: 'there is no such terminal' });
    return;
  }
  const take = (): void => post({ type: 'screen', call, screen: terminal.screen(scrollbackLines) });
  if (now) {
    void answer(call, () => turns.run(take));
    return;
  }
  terminal.afterQueue(take);
  ensureRunning(id, terminal);
}

/** In a turn of its own: a terminal that is disposed of while it parses would never say that it is done. */
function close(id: number): void {
  const terminal = terminals.get(id);
  terminals.delete(id);
  if (terminal !== undefined) void turns.run(() => terminal.dispose());
}

async function answer(call: number, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    post({ type: 'refused', call, message: messageOf(error) });
  }
}

async function openPast({ call, past, cols, rows, from }: Extract<ToScreenWorker, { type: 'past-open' }>): Promise<void> {
  const lines = new PastLines({ cols, rows }, from);
  pasts.set(past, lines);
  await turns.run(() => lines.open());
  post({ type: 'past-fed', call, goneLines: lines.goneLines, firstLine: lines.firstLine });
}

async function feedPast({ call, past, events }: Extract<ToScreenWorker, { type: 'past-feed' }>): Promise<void> {
  const lines = pastOf(past);
  // Terminals that live come in between.
  for (const event of events) await turns.run(() => lines.feed(event));
  post({ type: 'past-fed', call, goneLines: lines.goneLines, firstLine: lines.firstLine });
}

function readPast({ call, past, before, limit, withScreen }: Extract<ToScreenWorker, { type: 'past-lines' }>): void {
  const held = pastOf(past);
  const lines = held.lines(withScreen);
  const to = Math.min(before ?? Number.POSITIVE_INFINITY, held.firstLine + lines.length);
  const first = Math.max(to - limit, held.firstLine);
  post({ type: 'past-lines', call, lines: lines.slice(first - held.firstLine, to - held.firstLine), first });
}

function closePast(past: number): void {
  const lines = pasts.get(past);
  pasts.delete(past);
  if (lines !== undefined) void turns.run(() => lines.dispose());
}

function pastOf(past: number): PastLines {
  const lines = pasts.get(past);
  if (lines === undefined) throw new Error('there is no such past');
  return lines;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

port.on('message', (message: ToScreenWorker) => {
  switch (message.type) {
    case 'open':
      open(message);
      break;
    case 'feed':
      for (const fed of message.fed) feed(fed);
      break;
    case 'screen':
      takeScreen(message);
      break;
    case 'close':
      close(message.id);
      break;
    case 'colors':
      colors = message.colors;
      for (const terminal of terminals.values()) terminal.setColors(colors);
      break;
    case 'past-open':
      void answer(message.call, () => openPast(message));
      break;
    case 'past-feed':
      void answer(message.call, () => feedPast(message));
      break;
    case 'past-lines':
      void answer(message.call, () => turns.run(() => readPast(message)));
      break;
    case 'past-close':
      closePast(message.past);
      break;
  }
});

/**
 * Screens may lag and catch up; keys and output may not. Where threads have priorities of their own (Linux) this one steps back,
 * so that parsing a flood does not take the processor from whoever types.
 */
function letOthersGoFirst(): void {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(thread, Math.min(getPriority(thread) + NICE_STEPS, constants.priority.PRIORITY_LOW));
  } catch {
    // Elsewhere, or without /proc: it competes with the others as their equal.
  }
}
