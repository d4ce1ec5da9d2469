import type { ITheme } from '@xterm/xterm';
import type { TerminalPalette } from '../../src-shared/terminal-palettes.ts';

/** A palette as xterm wants it. */
export function xtermTheme(palette: TerminalPalette, theme: 'light' | 'dark'): ITheme {
  const { background, foreground, cursor, selection, ansi } = palette;
  const slider = theme === 'dark' ? '#aeb4bd' : '#4c535d';
  return {
    background,
    foreground,
    cursor,
    cursorAccent: background,
    selectionBackground: selection,
    selectionInactiveBackground: selection,
    scrollbarSliderBackground: `${slider}42`,
    scrollbarSliderHoverBackground: `${slider}70`,
    scrollbarSliderActiveBackground: `${slider}90`,
    overviewRulerBorder: '#00000000',
    black: ansi[0],
    red: ansi[1],
    green: ansi[2],
    yellow: ansi[3],
    blue: ansi[4],
    magenta: ansi[5],
    cyan: ansi[6],
    white: ansi[7],
    brightBlack: ansi[8],
    brightRed: ansi[9],
    brightGreen: ansi[10],
    brightYellow: ansi[11],
    brightBlue: ansi[12],
    brightMagenta: ansi[13],
    brightCyan: ansi[14],
    brightWhite: ansi[15],
  };
}

/** Marks of what was found. xterm wants solid `#rrggbb` colours. */
export function findColours(theme: 'light' | 'dark') {
  const [match, active, edge] = theme === 'dark' ? ['#4a3a17', '#a8701c', '#e8a33d'] : ['#fbe3b8', '#f2b04a', '#b56b00'];
  return {
    matchBackground: match,
    activeMatchBackground: active,
    activeMatchBorder: edge,
    matchOverviewRuler: edge,
    activeMatchColorOverviewRuler: edge,
  };
}
