import { expect, it } from 'vitest';
import { portWire } from './port-wire.ts';
import { CLOSE, type CloseReason } from './refusal.ts';
import type { Wire } from './wire.ts';

function pair(): [Wire, Wire] {
  const { port1, port2 } = new MessageChannel();
  return [portWire(port1), portWire(port2)];
}

function nextFrame(wire: Wire): Promise<Uint8Array> {
  return new Promise((resolve) => {
    wire.onFrame = resolve;
  });
}

function closing(wire: Wire): Promise<CloseReason> {
  return new Promise((resolve) => {
    wire.onClose = resolve;
  });
}

it('carries frames both ways and in order', async () => {
  const [a, b] = pair();
  const frames: number[] = [];
  const all = new Promise<void>((resolve) => {
    b.onFrame = (frame) => {
      frames.push(frame[0] ?? -1);
      if (frames.length === 3) resolve();
    };
  });
  for (const value of [1, 2, 3]) a.send(Uint8Array.of(value));
  await all;
  expect(frames).toEqual([1, 2, 3]);
  const back = nextFrame(a);
  b.send(Uint8Array.of(9));
  expect(await back).toEqual(Uint8Array.of(9));
  a.close(CLOSE.shuttingDown);
});

it('keeps frames that came before anyone listened', async () => {
  const [a, b] = pair();
  a.send(Uint8Array.of(7));
  await new Promise((resolve) => setImmediate(resolve));
  expect(await nextFrame(b)).toEqual(Uint8Array.of(7));
  a.close(CLOSE.shuttingDown);
});

it('tells the other end why it was closed, and each end once', async () => {
  const [a, b] = pair();
  const [atA, atB] = [closing(a), closing(b)];
  b.onFrame = () => {};
  a.close(CLOSE.versionMismatch);
  a.close(CLOSE.silent);
  expect(await atA).toEqual(CLOSE.versionMismatch);
  expect(await atB).toEqual(CLOSE.versionMismatch);
});

it('[wire-2] closes on what is not a frame', async () => {
  const { port1, port2 } = new MessageChannel();
  const wire = portWire(port2);
  const closed = closing(wire);
  wire.onFrame = () => {
    throw new Error('a message that is no frame was delivered');
  };
  port1.postMessage({ surprise: true });
  expect((await closed).code).toBe(4400);
});

it('is closed when the other end goes without a word', async () => {
  const { port1, port2 } = new MessageChannel();
  const wire = portWire(port2);
  const closed = closing(wire);
  wire.onFrame = () => {};
  port1.close();
  expect((await closed).code).toBe(1006);
});
