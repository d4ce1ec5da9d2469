import { call } from '../engine.ts';
import { shell } from '../shell.ts';

/** The system's clipboard: by the desktop shell, or by the browser where there is none. */
export async function readClipboard(): Promise<string> {
  if (shell === null) return navigator.clipboard.readText();
  return (await call('shell.clipboardRead', {})).text;
}

export async function writeClipboard(text: string): Promise<void> {
  if (shell === null) await navigator.clipboard.writeText(text);
  else await call('shell.clipboardWrite', { text });
}
