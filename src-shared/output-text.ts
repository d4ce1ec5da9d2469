/** A piece of terminal output as JSON shows it. */
export type OutputText = string | { readonly base64: string };

const LONGEST_CHARACTER = 4;
const NOTHING = new Uint8Array(0);

/**
 * Terminal output as text. A frame may cut a UTF-8 character in two: its bytes (three at most) are held back and put in front of
 * the next piece. What is not UTF-8 comes as base64. What is held depends on the last three bytes alone, so that whoever begins in
 * the middle holds the same after three bytes.
 */
export class OutputTexts {
  #held: Uint8Array = NOTHING;

  /** Goes on by itself from here. */
  copy(): OutputTexts {
    const copy = new OutputTexts();
    copy.#held = this.#held;
    return copy;
  }

  take(bytes: Uint8Array): OutputText {
    const whole = this.#held.length === 0 ? bytes : joined(this.#held, bytes);
    const end = whole.length - cutBytes(whole);
    const complete = whole.subarray(0, end);
    // A copy: the piece belongs to the caller, and may be large.
    this.#held = whole.slice(end);
    return decode(complete) ?? { base64: base64Of(complete) };
  }

  /** What will never be completed; null where nothing is held. */
  rest(): OutputText | null {
    const held = this.#held;
    this.#held = NOTHING;
    return held.length === 0 ? null : { base64: base64Of(held) };
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}

/** How many bytes at the end are the beginning of a character that could still be completed. */
function cutBytes(bytes: Uint8Array): number {
  for (let back = 1; back < LONGEST_CHARACTER && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 && byte <= 0xf4 ? 4 : byte >= 0xe0 && byte < 0xf0 ? 3 : byte >= 0xc2 && byte < 0xe0 ? 2 : 0;
    return length > back ? back : 0;
  }
  return 0;
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Characters that one call of `fromCharCode` may take as arguments. */
const PIECE = 0x2000;

function base64Of(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += PIECE) binary += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return btoa(binary);
}
