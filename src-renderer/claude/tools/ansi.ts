/**
 * Terminal colours in the output of a command, as pieces of text. Only colours and weight are taken; every other control
 * sequence is dropped, so that output can neither move nor hide anything around it.
 */
export interface AnsiPiece {
  readonly text: string;
  /** A CSS variable's name of claude.css; null for the text's own colour. */
  readonly colour: string | null;
  readonly isBold: boolean;
  readonly isDim: boolean;
  readonly isItalic: boolean;
  readonly isUnderlined: boolean;
}

type Look = Omit<AnsiPiece, 'text'>;

const PLAIN: Look = { colour: null, isBold: false, isDim: false, isItalic: false, isUnderlined: false };
const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;

// CSI sequences, OSC and other strings up to their end, and two-character escapes.
const ESCAPES = /\u001b(?:\[([0-?]*)([ -/]*)([@-~])|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-~])/g;
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

export function parseAnsi(text: string): readonly AnsiPiece[] {
  const pieces: AnsiPiece[] = [];
  let look = PLAIN;
  let from = 0;
  const add = (raw: string): void => {
    const clean = raw.replace(CONTROLS, '');
    if (clean !== '') pieces.push({ text: clean, ...look });
  };
  const source = overwriteLines(text);
  for (const found of source.matchAll(ESCAPES)) {
    add(source.slice(from, found.index));
    from = found.index + found[0].length;
    if (found[3] === 'm') look = applySgr(look, found[1] ?? '');
  }
  add(source.slice(from));
  return pieces;
}

/** The text alone. */
export function stripAnsi(text: string): string {
  return overwriteLines(text).replace(ESCAPES, '').replace(CONTROLS, '');
}

/** Progress bars write a line over and over with carriage returns: what counts is what they wrote last. */
function overwriteLines(text: string): string {
  if (!text.includes('\r')) return text;
  return text
    .replace(/\r+\n/g, '\n')
    .split('\n')
    .map((line) => line.slice(line.replace(/\r+$/, '').lastIndexOf('\r') + 1).replace(/\r+$/, ''))
    .join('\n');
}

function applySgr(look: Look, parameters: string): Look {
  const codes = parameters.split(/[;:]/).map((code) => (code === '' ? 0 : Number(code)));
  let next = look;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) {
      const [colour, taken] = extendedColour(codes.slice(at + 1));
      at += taken;
      if (code === 38) next = { ...next, colour };
    } else next = applyCode(next, code);
  }
  return next;
}

function applyCode(look: Look, code: number): Look {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...look, isBold: true };
  if (code === 2) return { ...look, isDim: true };
  if (code === 3) return { ...look, isItalic: true };
  if (code === 4) return { ...look, isUnderlined: true };
  if (code === 22) return { ...look, isBold: false, isDim: false };
  if (code === 23) return { ...look, isItalic: false };
  if (code === 24) return { ...look, isUnderlined: false };
  if (code === 39) return { ...look, colour: null };
  if (code >= 30 && code <= 37) return { ...look, colour: variable(code - 30) };
  if (code >= 90 && code <= 97) return { ...look, colour: variable(code - 90) };
  return look;
}

const variable = (index: number): string => `--ansi-${NAMES[index] ?? 'white'}`;

/** After 38 or 48: `5;n` or `2;r;g;b`. The nearest of the theme's own colours is used, so that it can be read in both themes. */
function extendedColour(codes: readonly number[]): [colour: string | null, taken: number] {
  if (codes[0] === 2) return [nearest(codes[1] ?? 0, codes[2] ?? 0, codes[3] ?? 0), 4];
  if (codes[0] !== 5) return [null, 0];
  const index = codes[1] ?? 0;
  if (index < 16) return [variable(index % 8), 2];
  if (index >= 232) return [null, 2];
  const cube = index - 16;
  const level = (part: number): number => (part === 0 ? 0 : 55 + part * 40);
  return [nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)), 2];
}

function nearest(red: number, green: number, blue: number): string | null {
  const most = Math.max(red, green, blue);
  const least = Math.min(red, green, blue);
  if (most - least < 40) return null;
  const middle = (most + least) / 2;
  // The bits of the colour numbers: red 1, green 2, blue 4.
  return variable((red > middle ? 1 : 0) + (green > middle ? 2 : 0) + (blue > middle ? 4 : 0));
}
