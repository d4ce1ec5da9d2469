import { Writable } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { readFromPtyHost } from './pty-host-frames.ts';
import { Outbox } from './pty-host-outbox.ts';
import { BATCH_BYTES } from './pty-host-output.ts';

const FLOODING = 1;
const QUIET = 2;

/** Takes one write at a time, when it is told to: main is busy. */
class SlowSocket extends Writable {
  readonly told: string[] = [];
  #taken: (() => void) | null = null;
  readonly #frames = readFromPtyHost((message) => {
    this.told.push(message.type === 'output' ? `${message.id}: ${message.data[0]}` : `${message.id}: ${message.type}`);
  });

  override _write(frame: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    this.#taken = () => {
      this.#frames.push(frame);
      taken();
    };
  }

  /** false: nothing waits to be taken. */
  take(): boolean {
    const taken = this.#taken;
    this.#taken = null;
    taken?.();
    return taken !== null;
  }
}

let socket: SlowSocket;
let outbox: Outbox;
beforeEach(() => {
  socket = new SlowSocket();
  outbox = new Outbox();
});

async function takeAll(): Promise<readonly string[]> {
  do await new Promise(setImmediate);
  while (socket.take());
  return socket.told;
}

describe('Outbox', () => {
  it('[pty-12] lets what a quiet terminal says overtake a flood, and each terminal’s own output stay in order', async () => {
    outbox.open(socket);
    for (let chunk = 1; chunk <= 6; chunk++) outbox.output(FLOODING, chunk, Buffer.alloc(BATCH_BYTES, chunk));
    outbox.output(FLOODING, 7, Buffer.of(7));
    outbox.output(QUIET, 1, Buffer.of(1));
    outbox.message({ type: 'closed', id: FLOODING });
    expect(await takeAll()).toEqual(['1: 1', '2: 1', '1: 2', '1: 3', '1: 4', '1: 5', '1: 6', '1: 7', '1: closed']);
  });

  it('[pty-12] lets floods take turns', async () => {
    outbox.open(socket);
    for (let chunk = 1; chunk <= 3; chunk++) outbox.output(1, chunk, Buffer.alloc(BATCH_BYTES, chunk));
    for (let chunk = 1; chunk <= 3; chunk++) outbox.output(2, chunk, Buffer.alloc(BATCH_BYTES, chunk));
    expect(await takeAll()).toEqual(['1: 1', '1: 2', '2: 1', '1: 3', '2: 2', '2: 3']);
  });

  it('keeps what is said before main is there', async () => {
    outbox.output(QUIET, 1, Buffer.of(1));
    outbox.message({ type: 'closed', id: QUIET });
    outbox.open(socket);
    expect(await takeAll()).toEqual(['2: 1', '2: closed']);
  });
});
