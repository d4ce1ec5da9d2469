/**
 * What makes a terminal that one program has left, in whatever state, fit for the next one, below what was shown [pty-10]. It asks
 * nothing, and the cursor stays where the text ended: a full reset would clear the screen.
 */
const RESET = [
  '\x18', // breaks off a sequence that the program did not finish
  '\x1b]8;;\x1b\\', // no link
  '\x1b7\x1b[?1049l', // the normal screen. Leaving restores a cursor: the one saved when it was entered, or here the present one
  '\x1b[!p', // modes, margins, attributes, visible cursor
  '\x0f\x1b(B\x1b[4l\x1b[20l\x1b[?7h', // ASCII, no insert mode, no new line mode, lines wrap
  '\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1016l', // no mouse reports
  '\x1b[?1004l\x1b[?2004l\x1b[?2026l', // no focus reports, no bracketed paste, no held back drawing
  '\x1b[0 q', // the user's own cursor
].join('');

/** `isAtLineStart`: the last output ended a line. */
export function terminalReset(isAtLineStart: boolean): Uint8Array {
  return Buffer.from(`${RESET}${isAtLineStart ? '' : '\r\n'}\x1b[J`);
}
