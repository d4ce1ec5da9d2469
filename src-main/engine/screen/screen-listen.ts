import { hostname } from 'node:os';
import type { Terminal } from '@xterm/headless';
import { cleanText, MAX_TEXT_LENGTH } from '../../../src-shared/clean-text.ts';
import type { ScreenColors } from './screen-colors.ts';
import { Osc99, type ProgramNotice, readOsc9, readOsc777 } from './screen-notice.ts';

/** What a program says about itself. */
export interface Details {
  /** Window title; null: it has none (any more). */
  programTitle?: string | null;
  cwd?: string;
  /** A shell that marks its prompts (OSC 133, 633) waits for a command (true) or runs one (false). */
  atPrompt?: boolean;
  /** Not about itself but for the user; the newest one. */
  notice?: ProgramNotice;
}

export interface Listener {
  onReply(text: string): void;
  onDetails(details: Details): void;
}

/**
 * The only answers that a terminal gives [pty-6]: device attributes, status and cursor position reports, mode reports. Whatever
 * could carry back text of the program's own choosing stays unanswered.
 */
const ANSWER = /^\x1b\[[?>]?[\d;]*(?:[cnR]|\$y)$/;

/** Hears what concerns others than the screen itself. Everything is still handled as usual afterwards. */
export function listen(terminal: Terminal, colors: ScreenColors, listener: Listener): void {
  terminal.onData((text) => {
    if (ANSWER.test(text)) listener.onReply(text);
  });
  terminal.onTitleChange((title) => listener.onDetails({ programTitle: cleanText(title) || null }));
  const onOsc = (code: number, handle: (data: string) => void): void => {
    terminal.parser.registerOscHandler(code, (data) => {
      handle(data);
      return false;
    });
  };
  const folder = (path: string | null): void => {
    if (path !== null) listener.onDetails({ cwd: path });
  };
  onOsc(7, (data) => folder(readFileUrl(data)));
  onOsc(9, (data) => folder(data.startsWith('9;') ? readPath(data.slice(2).replace(/^"(.*)"$/, '$1')) : null));
  const tell = (notice: ProgramNotice | null): void => {
    if (notice !== null) listener.onDetails({ notice });
  };
  const osc99 = new Osc99();
  onOsc(9, (data) => tell(readOsc9(data)));
  onOsc(777, (data) => tell(readOsc777(data)));
  onOsc(99, (data) => tell(osc99.read(data)));
  const mark = (data: string): void => {
    if (/^[AB](;|$)/.test(data)) listener.onDetails({ atPrompt: true });
    else if (/^C(;|$)/.test(data)) listener.onDetails({ atPrompt: false });
  };
  onOsc(133, mark);
  onOsc(633, mark);
  onOsc(633, (data) => folder(data.startsWith('P;Cwd=') ? readPath(unescapeVsCode(data.slice('P;Cwd='.length))) : null));
  onOsc(1337, (data) => folder(data.startsWith('CurrentDir=') ? readPath(data.slice('CurrentDir='.length)) : null));

  const answer = (answers: readonly string[]): void => answers.forEach((text) => void listener.onReply(text));
  for (const code of [10, 11, 12]) onOsc(code, (data) => answer(colors.handleSlot(code, data)));
  onOsc(4, (data) => answer(colors.handlePalette(data)));
  for (const code of [104, 110, 111, 112]) onOsc(code, (data) => colors.reset(code, data));
  // RIS
  terminal.parser.registerEscHandler({ final: 'c' }, () => {
    colors.clear();
    return false;
  });
}

/** A folder that may be shown and entered: absolute, and nothing in it that would have to be cleaned or cut [pty-8]. null: not one. */
function readPath(path: string): string | null {
  const isAbsolute = path.startsWith('/') || /^[a-zA-Z]:[\\/]/.test(path) || path.startsWith('\\\\');
  return isAbsolute && path.length <= MAX_TEXT_LENGTH && cleanText(path) === path ? path : null;
}

/** OSC 7. A folder on another machine (a program that runs over ssh reports it) is none of ours. */
function readFileUrl(data: string): string | null {
  const [, host = '', encoded = ''] = /^file:\/\/([^/]*)(\/.*)$/s.exec(data) ?? [];
  if (encoded === '' || !isThisHost(host)) return null;
  try {
    const path = decodeURIComponent(encoded);
    return readPath(/^\/[a-zA-Z]:/.test(path) ? path.slice(1) : path);
  } catch {
    // Not percent-encoded text: nothing can be said about it.
    return null;
  }
}

function isThisHost(host: string): boolean {
  const [wanted, own] = [host, hostname()].map((name) => name.toLowerCase().split('.')[0]);
  return wanted === '' || wanted === 'localhost' || wanted === own;
}

/** VS Code's scripts write backslash, semicolon and controls as `\\` and `\xhh`. */
function unescapeVsCode(text: string): string {
  return text.replace(/\\(?:\\|x([0-9a-f]{2}))/gi, (_, code: string | undefined) =>
    code === undefined ? '\\' : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
