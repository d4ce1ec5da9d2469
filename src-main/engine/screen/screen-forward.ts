import { sequenceEnd } from './screen-sequence.ts';

/**
 * Skipping what nobody will see. In a flood of plain output all but the last lines have left screen and scrollback before anyone
 * can look. Text that is followed by as many line feeds as the terminal holds lines leaves no trace in it; what does outlive it
 * (colours, hyperlinks, titles) is in control sequences. So parsing those and the last lines gives the very same terminal, at a
 * fraction of the work. Anything that may leave another trace (cursor movement, modes, scroll regions) is parsed as usual.
 */

/** Skipping less is not worth the look. */
const MIN_SKIPPED_BYTES = 64 * 1024;

const LF = 0x0a;
const CR = 0x0d;
const SO = 0x0e;
const SI = 0x0f;
const ESC = 0x1b;
const CSI = 0x5b;
const OSC = 0x5d;
const STRING_END = 0x5c;
const ERASE_IN_LINE = 0x4b;
const SET_STYLE = 0x6d;
/** Introduces the 8-bit controls U+0080 to U+009F in UTF-8. */
const C1_LEAD = 0xc2;

const UNFINISHED = -1;
const EIGHT_BIT = -2;

const isSpecial = new Uint8Array(256);
for (const byte of [SO, SI, ESC, C1_LEAD]) isSpecial[byte] = 1;

export type ForwardPlan =
  /** Parse `controls`, then what follows `skipTo`: the same as parsing everything. */
  | { readonly kind: 'skip'; readonly skipTo: number; readonly controls: Uint8Array }
  /** Parse so many bytes as usual before it is worth asking again. */
  | { readonly kind: 'parse'; readonly bytes: number };

/**
 * Looks at all of the bytes: only while nothing but plain text comes do the line feeds push everything older out.
 * `lines`: how many lines the terminal holds, scrollback included. Holds for a terminal that is not in the middle of a sequence,
 * shows its normal buffer and scrolls as a whole.
 */
export function planForward(bytes: Uint8Array, lines: number): ForwardPlan {
  const parseAll: ForwardPlan = { kind: 'parse', bytes: bytes.length };
  const skipTo = startOfLastLines(bytes, lines);
  if (skipTo < MIN_SKIPPED_BYTES) return parseAll;
  const state: State = { links: [], styles: [] };
  let parseFirst = 0;
  for (let at = nextSpecial(bytes, 0); at < bytes.length; at = nextSpecial(bytes, at)) {
    const end = controlEnd(bytes, at);
    // In the part that is parsed anyway it may be unfinished.
    if (end === UNFINISHED && at >= skipTo) break;
    if (end < 0 || (at < skipTo && end > skipTo)) return parseAll;
    if (!keepControl(state, bytes.subarray(at, end), at < skipTo)) {
      parseFirst = end;
      state.links = [];
      state.styles = [];
    }
    at = end;
  }
  if (parseFirst > 0) return skipTo - parseFirst < MIN_SKIPPED_BYTES ? parseAll : { kind: 'parse', bytes: parseFirst };
  return { kind: 'skip', skipTo, controls: Buffer.concat([...state.styles, ...state.links]) };
}

/** What outlives skipped text. Hyperlinks, titles and character sets do not mix with colours: their order does not matter. */
interface State {
  links: Uint8Array[];
  styles: Uint8Array[];
}

/** Notes a control that is skipped. false: it may leave a trace that is not kept here, wherever it stands. */
function keepControl(state: State, control: Uint8Array, isSkipped: boolean): boolean {
  const [first, kind] = control;
  if (first === C1_LEAD) return true;
  if (first === ESC && kind === CSI) {
    if (!isPlainCsi(control)) return false;
    const final = control.at(-1);
    // Erasing within a line leaves with the line.
    if (final === ERASE_IN_LINE) return true;
    if (final !== SET_STYLE) return false;
    if (isSkipped && isReset(control)) state.styles = [];
    if (isSkipped) state.styles.push(control);
    return true;
  }
  if (first === ESC && kind !== OSC && kind !== STRING_END) return false;
  if (isSkipped) state.links.push(control);
  return true;
}

/** Digits, semicolons and colons only: no private marker, nothing executed in its middle. */
function isPlainCsi(control: Uint8Array): boolean {
  return control.subarray(2, -1).every((byte) => byte >= 0x30 && byte <= 0x3b);
}

/** SGR that forgets all before it: none, or 0 first. */
function isReset(control: Uint8Array): boolean {
  return control.length === 3 || (control[2] === 0x30 && (control.length === 4 || control[3] === 0x3b));
}

function nextSpecial(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && isSpecial[bytes[at] ?? 0] === 0) at++;
  return at;
}

function controlEnd(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === ESC) return sequenceEnd(bytes, at);
  if (byte !== C1_LEAD) return at + 1;
  const next = bytes[at + 1] ?? 0;
  // An 8-bit control: as a sequence's beginning it would have to be followed to its end. Nobody sends them: give up.
  return next >= 0x80 && next <= 0x9f ? EIGHT_BIT : at + 2;
}

/** Behind the line end that is followed by `lines` others; 0 where there are not so many. Lines that end without CR do not count. */
function startOfLastLines(bytes: Uint8Array, lines: number): number {
  let at = bytes.length;
  for (let found = 0; found <= lines; found++) {
    at = bytes.lastIndexOf(LF, at - 1);
    if (at <= 0) return 0;
  }
  while (at > 0 && bytes[at - 1] !== CR) at = bytes.lastIndexOf(LF, at - 1);
  return at > 0 ? at + 1 : 0;
}
