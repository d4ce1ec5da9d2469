import { expect, it } from 'vitest';
import { FOLLOW_WINDOW_BYTES } from '../../../src-shared/relay-protocol.ts';
import { MIN_WINDOW_BYTES } from './bulk-window.ts';
import { CreditWindow } from './credit-window.ts';

/** A line on virtual time that is never without something to carry: what credit was given for arrives in order, at its rate. */
class Line {
  readonly window = new CreditWindow();
  nowMs = 0;
  bytesPerMs = 1;
  #toCome = this.window.restart(0);
  #pongAfter: number | null = 0;

  constructor() {
    this.nowMs = 5;
    this.window.answered(this.nowMs);
    this.#pongAfter = null;
  }

  get onTheWay(): number {
    return this.#toCome;
  }

  run(pieces: number, pieceBytes = 4_096): void {
    for (let piece = 0; piece < pieces; piece++) {
      const bytes = Math.min(pieceBytes, this.#toCome);
      this.nowMs += bytes / this.bytesPerMs;
      this.#toCome -= bytes;
      if (this.#pongAfter !== null) {
        this.#pongAfter -= bytes;
        if (this.#pongAfter <= 0) {
          this.window.answered(this.nowMs + 5);
          this.#pongAfter = null;
        }
      }
      if (this.window.came(bytes, this.nowMs)) this.#pongAfter = this.#toCome;
      this.#toCome += this.window.kept(bytes);
    }
  }
}

it('[slow-3] lets so little be on the way that what passes is through in a moment, and much where the line is quick', () => {
  const line = new Line();
  line.bytesPerMs = 32;
  line.run(200);
  expect(line.onTheWay).toBeLessThanOrEqual(MIN_WINDOW_BYTES);
  expect(line.window.windowBytes).toBe(MIN_WINDOW_BYTES);
  line.bytesPerMs = 20_000;
  line.run(5_000);
  expect(line.window.windowBytes).toBe(FOLLOW_WINDOW_BYTES);
  line.bytesPerMs = 200;
  line.run(2_000);
  expect(line.onTheWay / 200).toBeLessThan(500);
  expect(line.onTheWay).toBeGreaterThan(MIN_WINDOW_BYTES);
});

it('[slow-3] asks nothing of a line that carries little', () => {
  const window = new CreditWindow();
  window.restart(0);
  window.answered(5);
  let probes = 0;
  for (let batch = 1; batch <= 64; batch++) {
    if (window.came(256, batch * 1_000)) {
      probes += 1;
      window.answered(batch * 1_000 + 5);
    }
    window.kept(256);
  }
  expect(probes).toBe((64 * 256) / (window.windowBytes / 16));
  expect(probes).toBeLessThan(16);
});
