import type { ITheme } from '@xterm/xterm';
import type { Settings } from '../../src-shared/settings.ts';
import { SCROLLBAR_PX } from './pane-size.ts';

/** Lines above the screen; those further up are the history view's. As many as the host's screen has. */
export const SCROLLBACK_LINES = 1000;

/** How the terminal is to look and behave; a change is in force at once. */
export interface TerminalLook {
  readonly settings: Settings;
  readonly theme: ITheme;
  readonly findTheme: 'light' | 'dark';
  readonly screenReader: boolean;
}

export const FIXED_OPTIONS = {
  allowProposedApi: true,
  scrollback: SCROLLBACK_LINES,
  // A tiny font or a dim grey on grey is no reason that something cannot be read.
  minimumContrastRatio: 4.5,
  cursorInactiveStyle: 'outline',
  drawBoldTextInBrightColors: false,
  // Typed text that a program does not echo must not be moved about by a click.
  altClickMovesCursor: false,
  macOptionIsMeta: false,
  overviewRuler: { width: SCROLLBAR_PX },
  logLevel: 'error',
} as const;

export function optionsOf({ settings, screenReader }: TerminalLook) {
  return {
    fontFamily: settings['terminal.fontFamily'],
    lineHeight: settings['terminal.lineHeight'],
    cursorStyle: settings['terminal.cursorStyle'],
    cursorBlink: settings['terminal.cursorBlink'],
    screenReaderMode: screenReader,
  };
}

const FONT_KEYS = ['terminal.fontFamily', 'terminal.fontSize', 'terminal.lineHeight'] as const;

export function isOtherFont(a: Settings, b: Settings): boolean {
  return FONT_KEYS.some((key) => a[key] !== b[key]);
}
