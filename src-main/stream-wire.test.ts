import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CLOSE, type CloseReason } from '../src-shared/refusal.ts';
import type { Wire } from '../src-shared/wire.ts';
import { streamWire } from './stream-wire.ts';

let folder: string;
let server: Server;
let near: Socket;
let far: Socket;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'baton-wire-'));
  const path = process.platform === 'win32' ? `\\\\.\\pipe\\${folder.replace(/\W/g, '-')}` : join(folder, 'socket');
  const accepted = new Promise<Socket>((resolve) => {
    server = createServer(resolve);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  near = createConnection(path);
  far = await accepted;
});
afterEach(async () => {
  near.destroy();
  far.destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

function frames(wire: Wire, count: number): Promise<Uint8Array[]> {
  const received: Uint8Array[] = [];
  return new Promise((resolve) => {
    wire.onFrame = (frame) => {
      received.push(frame);
      if (received.length === count) resolve(received);
    };
  });
}
const closing = (wire: Wire) =>
  new Promise<CloseReason>((resolve) => {
    wire.onClose = resolve;
  });
const header = (length: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
};

it('[wire-7] delivers whole frames in order, however the stream cuts them', async () => {
  const received = frames(streamWire(far), 4);
  const big = Buffer.alloc(3 * 1024 * 1024, 7);
  const bytes = Buffer.concat([header(3), Buffer.from('one'), header(0), header(3), Buffer.from('two'), header(big.length), big]);
  for (let at = 0; at < bytes.length; ) {
    const end = at < 40 ? at + 1 : at + 100_000;
    near.write(bytes.subarray(at, end));
    at = end;
  }
  const [one, empty, two, large] = await received;
  expect(Buffer.from(one ?? []).toString()).toBe('one');
  expect(empty?.byteLength).toBe(0);
  expect(Buffer.from(two ?? []).toString()).toBe('two');
  expect(Buffer.from(large ?? []).equals(big)).toBe(true);
});

it('keeps what comes before somebody listens, and carries both ways', async () => {
  const [a, b] = [streamWire(near), streamWire(far)];
  a.send(Buffer.from('early'));
  await new Promise((resolve) => setImmediate(resolve));
  const atB = frames(b, 1);
  expect(Buffer.from((await atB)[0] ?? []).toString()).toBe('early');
  b.send(Buffer.from('back'));
  expect(Buffer.from((await frames(a, 1))[0] ?? []).toString()).toBe('back');
});

it('says why it was closed, behind the frames that were sent before', async () => {
  const [a, b] = [streamWire(near), streamWire(far)];
  const received = frames(b, 1);
  const [atA, atB] = [closing(a), closing(b)];
  a.send(Buffer.from('last words'));
  a.close(CLOSE.versionMismatch);
  a.send(Buffer.from('too late'));
  expect(Buffer.from((await received)[0] ?? []).toString()).toBe('last words');
  expect(await atA).toEqual(CLOSE.versionMismatch);
  expect(await atB).toEqual(CLOSE.versionMismatch);
});

it('is closed when the other end goes without a word', async () => {
  const wire = streamWire(far);
  const closed = closing(wire);
  wire.onFrame = () => {};
  near.destroy();
  expect((await closed).code).toBe(1006);
});

it('[wire-2] closes on a length that no frame has, before it keeps a byte of it', async () => {
  const wire = streamWire(far);
  const closed = closing(wire);
  wire.onFrame = () => {
    throw new Error('something that is no frame was delivered');
  };
  near.write(Buffer.concat([header(0x7fff_ffff), Buffer.alloc(64)]));
  expect((await closed).code).toBe(CLOSE.malformedFrame.code);
});

it('[wire-2] takes a goodbye without readable words for a goodbye', async () => {
  const wire = streamWire(far);
  const closed = closing(wire);
  wire.onFrame = () => {};
  near.write(Buffer.concat([header(0x8000_0000 + 5), Buffer.from('{"co]')]));
  expect((await closed).code).toBe(1006);
});

it('tells how much has not left this process', async () => {
  const wire = streamWire(near);
  expect(wire.bufferedBytes).toBe(0);
  for (let sent = 0; sent < 64; sent++) wire.send(Buffer.alloc(64 * 1024));
  expect(wire.bufferedBytes).toBeGreaterThan(1024 * 1024);
  await frames(streamWire(far), 64);
  await vi.waitFor(() => expect(wire.bufferedBytes).toBe(0));
});
