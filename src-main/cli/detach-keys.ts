import { EXIT, Failure } from './failure.ts';

export const DEFAULT_DETACH_KEYS = 'ctrl-\\,d';

const CONTROL_CHARS = '@abcdefghijklmnopqrstuvwxyz[\\]^_';

/** `ctrl-\,d` -> the bytes of two strokes. Each stroke is one character or `ctrl-` and a letter or one of @[\]^_. */
export function parseDetachKeys(text: string): Uint8Array {
  const strokes = text.split(',');
  const bytes = strokes.map(strokeByte);
  if (bytes.length < 2 || bytes.some((byte) => byte === null)) {
    throw new Failure(
      EXIT.usage,
      `“${text}” are no detach keys.`,
      'Two or more strokes with commas between them, each a character or ctrl- and a letter, such as ctrl-\\,d or ctrl-p,ctrl-q.',
    );
  }
  return Uint8Array.from(bytes as number[]);
}

function strokeByte(stroke: string): number | null {
  const control = /^(?:ctrl-|\^)(.)$/i.exec(stroke)?.[1]?.toLowerCase();
  if (control !== undefined) {
    const code = CONTROL_CHARS.indexOf(control);
    return code < 0 ? null : code;
  }
  return /^[\x21-\x7e]$/.test(stroke) ? stroke.charCodeAt(0) : null;
}

/**
 * Looks for the detach keys in what is typed. The first stroke is held until the second tells; the first stroke twice sends it
 * once, so that a program can still be given it; anything else sends all of it.
 */
export class DetachKeys {
  readonly #keys: Uint8Array;
  /** So many strokes of the keys have been typed and not been passed on. */
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** What is to be passed on, and whether the keys are complete; what was typed behind them is dropped. */
  take(typed: Uint8Array): { readonly keys: Uint8Array; readonly isDetached: boolean } {
    const passed: number[] = [];
    for (const byte of typed) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched += 1;
        if (this.#matched === this.#keys.length) {
          this.#matched = 0;
          return { keys: Uint8Array.from(passed), isDetached: true };
        }
        continue;
      }
      const isFirstAgain = byte === this.#keys[0];
      if (this.#matched === 1 && isFirstAgain) {
        this.#matched = 0;
        passed.push(byte);
        continue;
      }
      passed.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = isFirstAgain ? 1 : 0;
      if (!isFirstAgain) passed.push(byte);
    }
    return { keys: Uint8Array.from(passed), isDetached: false };
  }
}

/** As a person reads them: `Ctrl-\ d`. */
export function describeKeys(keys: Uint8Array): string {
  return [...keys]
    .map((byte) => (byte < 0x20 ? `Ctrl-${(CONTROL_CHARS[byte] ?? '').toUpperCase()}` : String.fromCharCode(byte)))
    .join(' ');
}
