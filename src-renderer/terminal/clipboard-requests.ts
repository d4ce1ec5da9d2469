import type { IDisposable, Terminal } from '@xterm/xterm';
import type { Settings } from '../../src-shared/settings.ts';

/** A program may put so much on the clipboard (bytes of its base64); more is refused. */
export const CLIPBOARD_MOST_BYTES = 1_000_000;

export interface ClipboardRequests {
  /** Only what happens now, in the terminal that the user drives: replayed output must not change the clipboard again. */
  readonly isAllowedNow: () => boolean;
  readonly policy: () => Settings['terminal.clipboardWrite'];
  readonly onWrite: (text: string) => void;
  readonly onAsk: (text: string) => void;
}

/** OSC 52: writing is up to the user's setting, reading is refused by silence. */
export function handleClipboardRequests(terminal: Terminal, requests: ClipboardRequests): IDisposable {
  return terminal.parser.registerOscHandler(52, (data) => {
    const text = clipboardText(data);
    if (text === null || !requests.isAllowedNow()) return true;
    const policy = requests.policy();
    if (policy === 'allow') requests.onWrite(text);
    else if (policy === 'ask') requests.onAsk(text);
    return true;
  });
}

/** The text that a request wants to put there. null: it asks for the clipboard, or is not a request. */
export function clipboardText(data: string): string | null {
  const at = data.indexOf(';');
  const base64 = data.slice(at + 1);
  if (at < 0 || base64 === '' || base64 === '?' || base64.length > CLIPBOARD_MOST_BYTES) return null;
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll('\0', '') || null;
  } catch {
    return null;
  }
}
