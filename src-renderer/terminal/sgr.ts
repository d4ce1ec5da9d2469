import type { TerminalPalette } from '../../src-shared/terminal-palettes.ts';
import { indexedColour, parseHex, type Rgb, readableOn, toHex } from './colours.ts';

/** A stretch of a line that looks the same all along. */
export interface SgrRun {
  readonly text: string;
  readonly style: SgrStyle;
}

/** A colour as the program gave it: a number of the palette, or red, green, blue. */
type Colour = number | Rgb;

export interface SgrStyle {
  readonly foreground?: Colour | undefined;
  readonly background?: Colour | undefined;
  readonly isBold?: boolean;
  readonly isDim?: boolean;
  readonly isItalic?: boolean;
  readonly isUnderlined?: boolean;
  readonly isStruck?: boolean;
  readonly isOverlined?: boolean;
  readonly isInverse?: boolean;
  readonly isHidden?: boolean;
}

const PLAIN: SgrStyle = {};
const SEQUENCE = /\u001b\[([\d;]*)m/g;
const LEAST_CONTRAST = 4.5;

/** A line of `history.lines`: text and colours, nothing else. */
export function parseSgr(line: string): readonly SgrRun[] {
  const runs: SgrRun[] = [];
  let style = PLAIN;
  let from = 0;
  for (const match of line.matchAll(SEQUENCE)) {
    if (match.index > from) runs.push({ text: line.slice(from, match.index), style });
    style = withCodes(style, (match[1] ?? '').split(';').map(Number));
    from = match.index + match[0].length;
  }
  if (from < line.length) runs.push({ text: line.slice(from), style });
  return runs;
}

export function plainText(line: string): string {
  return line.replace(SEQUENCE, '');
}

function withCodes(before: SgrStyle, codes: readonly number[]): SgrStyle {
  let style = before;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) {
      const [colour, taken] = extendedColour(codes.slice(at + 1, at + 5));
      at += taken;
      if (colour !== null) style = { ...style, [code === 38 ? 'foreground' : 'background']: colour };
    } else style = withCode(style, code);
  }
  return style;
}

const FLAGS: Readonly<Record<number, SgrStyle>> = {
  1: { isBold: true },
  2: { isDim: true },
  3: { isItalic: true },
  4: { isUnderlined: true },
  7: { isInverse: true },
  8: { isHidden: true },
  9: { isStruck: true },
  22: { isBold: false, isDim: false },
  23: { isItalic: false },
  24: { isUnderlined: false },
  27: { isInverse: false },
  28: { isHidden: false },
  29: { isStruck: false },
  39: { foreground: undefined },
  49: { background: undefined },
  53: { isOverlined: true },
  55: { isOverlined: false },
};

function withCode(style: SgrStyle, code: number): SgrStyle {
  if (code === 0) return PLAIN;
  const flag = FLAGS[code];
  if (flag) return { ...style, ...flag };
  if (code >= 30 && code <= 37) return { ...style, foreground: code - 30 };
  if (code >= 40 && code <= 47) return { ...style, background: code - 40 };
  if (code >= 90 && code <= 97) return { ...style, foreground: code - 82 };
  if (code >= 100 && code <= 107) return { ...style, background: code - 92 };
  return style;
}

/** After 38 or 48: `5;n` or `2;r;g;b`. */
function extendedColour([kind, a = 0, b = 0, c = 0]: readonly number[]): [colour: Colour | null, taken: number] {
  if (kind === 2) return [[a & 255, b & 255, c & 255], 4];
  return kind === 5 ? [a & 255, 2] : [null, 1];
}

export interface RunCss {
  readonly color?: string;
  readonly backgroundColor?: string;
  readonly fontWeight?: number;
  readonly fontStyle?: string;
  readonly textDecoration?: string;
  readonly opacity?: number;
  readonly visibility?: 'hidden';
}

/** How a stretch is drawn in a palette, with the same least contrast as the live terminal. */
export function cssOf(style: SgrStyle, palette: TerminalPalette): RunCss {
  const own = (colour: Colour | undefined, usual: string): Rgb => rgbOf(colour, palette) ?? parseHex(usual) ?? [0, 0, 0];
  const front = own(style.foreground, palette.foreground);
  const back = own(style.background, palette.background);
  const [color, background] = style.isInverse ? [back, front] : [front, back];
  const lines = [style.isUnderlined && 'underline', style.isStruck && 'line-through', style.isOverlined && 'overline'].filter(
    Boolean,
  );
  const isColoured = style.foreground !== undefined || style.background !== undefined || style.isInverse === true;
  return {
    ...(isColoured ? { color: toHex(readableOn(background, color, LEAST_CONTRAST)) } : {}),
    ...(style.background !== undefined || style.isInverse ? { backgroundColor: toHex(background) } : {}),
    ...(style.isBold ? { fontWeight: 700 } : {}),
    ...(style.isItalic ? { fontStyle: 'italic' } : {}),
    ...(style.isDim ? { opacity: 0.7 } : {}),
    ...(style.isHidden ? { visibility: 'hidden' } : {}),
    ...(lines.length > 0 ? { textDecoration: lines.join(' ') } : {}),
  };
}

function rgbOf(colour: Colour | undefined, palette: TerminalPalette): Rgb | null {
  if (colour === undefined) return null;
  if (typeof colour !== 'number') return colour;
  return colour < 16 ? parseHex(palette.ansi[colour] ?? '') : indexedColour(colour);
}
