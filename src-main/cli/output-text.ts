/** A piece of terminal output as JSON shows it. */
export type OutputText = string | { readonly base64: string };

const LONGEST_CHARACTER = 4;

/**
 * Terminal output as text. A frame may cut a UTF-8 character in two: its bytes (three at most) are held back and put in front of
 * the next piece. What is not UTF-8 comes as base64.
 */
export class OutputTexts {
  #held: Uint8Array = new Uint8Array(0);

  take(bytes: Uint8Array): OutputText {
    const whole = Buffer.concat([this.#held, bytes]);
    const end = whole.length - cutBytes(whole);
    const text = decode(whole.subarray(0, end));
    if (text === null) {
      this.#held = new Uint8Array(0);
      return { base64: whole.toString('base64') };
    }
    this.#held = whole.subarray(end);
    return text;
  }

  /** What will never be completed; null where nothing is held. */
  rest(): OutputText | null {
    const held = this.#held;
    this.#held = new Uint8Array(0);
    return held.length === 0 ? null : { base64: Buffer.from(held).toString('base64') };
  }
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
