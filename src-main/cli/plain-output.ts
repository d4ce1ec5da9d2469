import { readEvent } from '../../src-shared/events.ts';
import type { ReadEvent } from './log-reader.ts';
import { sequenceEnd } from './terminal-queries.ts';

const ESC = 0x1b;
const CSI = 0x5b;
const STYLE = 0x6d;
/** A longer unfinished sequence is thrown away: nothing of it would be shown anyway. */
const MAX_UNFINISHED_BYTES = 64 * 1024;

/** A terminal's output as text for pipes and eyes: lines and, where wanted, colours; nothing that moves the cursor or asks. */
export class PlainOutput {
  readonly #hasColors: boolean;
  #begun: Uint8Array = new Uint8Array(0);
  readonly #decoder = new TextDecoder();

  constructor(hasColors: boolean) {
    this.#hasColors = hasColors;
  }

  add(event: ReadEvent): string {
    if (event.channel === 'pty:stdout' && event.payload instanceof Uint8Array) return this.#text(event.payload);
    const known = readEvent(event);
    if (known?.channel !== 'system:status' || known.type !== 'gap') return '';
    return `[${known.payload.bytes} bytes of output are missing here: ${known.payload.reason}]\n`;
  }

  end(): string {
    return this.#decoder.decode() + (this.#hasColors ? '\x1b[0m' : '');
  }

  #text(output: Uint8Array): string {
    const bytes = Buffer.concat([this.#begun, output]);
    this.#begun = new Uint8Array(0);
    const kept: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const next = bytes.indexOf(ESC, at);
      if (next < 0) {
        kept.push(bytes.subarray(at));
        break;
      }
      if (next > at) kept.push(bytes.subarray(at, next));
      const end = sequenceEnd(bytes, next);
      if (end < 0) {
        if (bytes.length - next <= MAX_UNFINISHED_BYTES) this.#begun = bytes.subarray(next);
        break;
      }
      if (this.#hasColors && bytes[next + 1] === CSI && bytes[end - 1] === STYLE) kept.push(bytes.subarray(next, end));
      at = end;
    }
    const text = this.#decoder.decode(Buffer.concat(kept), { stream: true });
    return text.replace(/\r+\n/g, '\n').replace(/[\u0000-\u0007\u000b\u000c\u000e-\u001a\u001c-\u001f\u007f]/g, '');
  }
}
