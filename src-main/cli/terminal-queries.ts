/**
 * Terminal output on its way to somebody's terminal, without the questions in it: the host's screen has answered them, and a second
 * answer, from here, would reach the program as typed keys [pty-6]. On the way it notes what the program switched on, so that
 * whoever leaves can put the terminal back.
 */
export class TerminalQueries {
  /** A sequence whose end has not come. */
  #begun: Uint8Array = EMPTY;
  readonly #modes = new Set<string>();
  #hasColors = false;
  #hasKeyboard = false;

  /** The output that may be shown; may be the very bytes that were given. */
  pass(output: Uint8Array): Uint8Array {
    const bytes = this.#begun.length === 0 ? output : Buffer.concat([this.#begun, output]);
    this.#begun = EMPTY;
    const kept: Uint8Array[] = [];
    let keptTo = 0;
    const drop = (from: number, to: number) => {
      if (from > keptTo) kept.push(bytes.subarray(keptTo, from));
      keptTo = to;
    };
    for (let at = nextControl(bytes, 0); at < bytes.length; at = nextControl(bytes, at)) {
      if (bytes[at] === ENQ) {
        drop(at, at + 1);
        at += 1;
        continue;
      }
      const end = sequenceEnd(bytes, at);
      if (end < 0) {
        if (bytes.length - at > MAX_QUESTION_BYTES) break;
        // Copied: the caller's bytes are a window of a larger frame.
        this.#begun = bytes.slice(at);
        drop(at, bytes.length);
        break;
      }
      if (end - at <= MAX_QUESTION_BYTES && this.#isQuestion(bytes, at, end)) drop(at, end);
      at = end;
    }
    if (keptTo === 0) return bytes;
    if (keptTo < bytes.length) kept.push(bytes.subarray(keptTo));
    return Buffer.concat(kept);
  }

  /** What puts a terminal back that has shown this output. */
  restore(): string {
    const leaves = [...this.#modes].filter((mode) => !BASE_MODES.has(mode)).map((mode) => `\x1b[?${mode}l`);
    // The alternate screen last: what is put back on it would be lost with it.
    const screens = leaves.filter((leave) => ALTERNATE.has(leave));
    const others = leaves.filter((leave) => !ALTERNATE.has(leave));
    const colors = this.#hasColors ? '\x1b]104\x07\x1b]110\x07\x1b]111\x07\x1b]112\x07' : '';
    const keyboard = this.#hasKeyboard ? '\x1b[<99u\x1b[>4m' : '';
    // Styles, character sets, scroll region (which would move the cursor), keypad, wrapping, cursor.
    return `${others.join('')}${keyboard}\x1b[0m\x1b(B\x0f\x1b7\x1b[r\x1b8\x1b[?1l\x1b>\x1b[?7h\x1b[0 q\x1b[?25h${colors}${screens.join('')}\x1b[0m`;
  }

  #isQuestion(bytes: Uint8Array, from: number, to: number): boolean {
    const kind = bytes[from + 1];
    if (kind === CSI) {
      const text = latin1(bytes, from + 2, to);
      this.#note(text);
      return QUESTION_CSI.test(text);
    }
    if (kind === OSC) {
      const text = latin1(bytes, from + 2, to);
      if (/^(?:4|10|11|12);/.test(text)) this.#hasColors = true;
      return QUESTION_OSC.test(text);
    }
    if (kind === DCS) return /^[$+]q/.test(latin1(bytes, from + 2, Math.min(to, from + 6)));
    if (kind === APC) return /^G(?:[^;]*,)?a=q/.test(latin1(bytes, from + 2, to));
    return kind === DECID;
  }

  #note(csi: string): void {
    if (/^(?:[>=][\d;]*u|>4;\d+m)$/.test(csi)) this.#hasKeyboard = true;
    const modes = /^\?([\d;]+)([hl])$/.exec(csi);
    for (const mode of modes?.[1]?.split(';') ?? []) {
      if (modes?.[2] === 'h') this.#modes.add(mode);
      else this.#modes.delete(mode);
    }
  }
}

/** Longer sequences are images and pasted texts, not questions. */
const MAX_QUESTION_BYTES = 4096;

const EMPTY = new Uint8Array(0);
const ENQ = 0x05;
const BEL = 0x07;
const CAN = 0x18;
const SUB = 0x1a;
const ESC = 0x1b;
const DCS = 0x50;
const DECID = 0x5a;
const CSI = 0x5b;
const OSC = 0x5d;
const APC = 0x5f;
const STRINGS = new Set([DCS, 0x58, 0x5e, APC]);

/** Wrapping and the visible cursor: what a terminal has switched on by itself. */
const BASE_MODES = new Set(['7', '25']);
const ALTERNATE = new Set(['\x1b[?47l', '\x1b[?1047l', '\x1b[?1049l']);

/** Device attributes, status and cursor reports, modes, version, window and cell sizes, keyboard protocols, checksums. */
const QUESTION_CSI =
  /^(?:[>=]?[\d;]*c|\??[\d;]*n|>[\d;]*q|\??[\d;]*\$p|\d*\$[uw]|(?:1[1345689]|2[01])(?:;[\d;]*)?t|[01]?x|\?u|\?[\d;]*m|\?[\d;]*S|[\d;]*\*y)$/;
/** Colours, font and clipboard with `?` for a value, and what single terminals let programs ask. */
const QUESTION_OSC =
  /^(?:(?:4|5|1\d|50|52|60|7\d\d);(?:.*;)?\?(?:;.*)?(?:\x07|$)|21;.*=\?|99;[^;]*p=\?|1337;(?:ReportCellSize|ReportVariable|Capabilities|RequestUpload))/s;

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
}

function nextControl(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== ESC && bytes[at] !== ENQ) at += 1;
  return at;
}

/** The index behind the sequence that begins at `from`; -1: its end is not within these bytes. ESC ends any other sequence. */
export function sequenceEnd(bytes: Uint8Array, from: number): number {
  const kind = bytes[from + 1];
  if (kind === undefined) return -1;
  const isString = kind === OSC || STRINGS.has(kind);
  const start = kind === CSI || isString ? from + 2 : from + 1;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === ESC) return at;
    if (byte === CAN || byte === SUB || (kind === OSC && byte === BEL)) return at + 1;
    if (isString) continue;
    if (kind === CSI ? byte >= 0x40 && byte <= 0x7e : byte >= 0x30 && byte <= 0x7e) return at + 1;
  }
  return -1;
}
