const ESC = 0x1b;
const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;

/** A longer unfinished sequence (an image, say) is remembered by its introducer only: enough to swallow the rest of it. */
const MAX_UNFINISHED_BYTES = 64 * 1024;
const INTRODUCER_BYTES = 2;

/**
 * Where the control sequence that begins at `from` (an ESC) ends: the index behind it. -1: not within these bytes.
 * As xterm parses: ESC ends any other sequence and begins the next; CAN and SUB abort; other C0 controls are executed in between.
 */
export function sequenceEnd(bytes: Uint8Array, from: number): number {
  const kind = bytes[from + 1];
  switch (kind) {
    case undefined:
      return -1;
    case 0x5b: // [ CSI
      return endAfter(bytes, from + 2, (byte) => byte >= 0x40 && byte <= 0x7e);
    case 0x5d: // ] OSC
      return endAfter(bytes, from + 2, (byte) => byte === BEL);
    case 0x50: // P DCS
    case 0x58: // X SOS
    case 0x5e: // ^ PM
    case 0x5f: // _ APC
      return endAfter(bytes, from + 2, () => false);
    default:
      return endAfter(bytes, from + 1, (byte) => byte >= 0x30 && byte <= 0x7e);
  }
}

function endAfter(bytes: Uint8Array, from: number, isFinal: (byte: number) => boolean): number {
  for (let index = from; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    if (byte === ESC) return index;
    if (byte === CAN || byte === SUB || isFinal(byte)) return index + 1;
  }
  return -1;
}

/**
 * What a parser still has in hand after `bytes`, given what it had before them: the control sequence whose end has not come.
 * A screen that is taken here must carry it, or the sequence's rest would show as text.
 */
export function unfinishedSequence(before: Uint8Array, bytes: Uint8Array): Uint8Array {
  const last = bytes.lastIndexOf(ESC);
  if (last >= 0) return sequenceEnd(bytes, last) < 0 ? bounded(bytes.slice(last)) : EMPTY;
  if (before.length === 0) return EMPTY;
  const joined = new Uint8Array(before.length + bytes.length);
  joined.set(before);
  joined.set(bytes, before.length);
  return sequenceEnd(joined, 0) < 0 ? bounded(joined) : EMPTY;
}

const EMPTY = new Uint8Array(0);

function bounded(bytes: Uint8Array): Uint8Array {
  return bytes.length > MAX_UNFINISHED_BYTES ? bytes.slice(0, INTRODUCER_BYTES) : bytes;
}
