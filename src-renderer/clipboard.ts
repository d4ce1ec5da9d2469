import { call } from './engine.ts';

/** The system's clipboard, by the desktop shell or by what stands in for it in a browser. */
export async function readClipboard(): Promise<string> {
  return (await call('shell.clipboardRead', {})).text;
}

export async function writeClipboard(text: string): Promise<void> {
  await call('shell.clipboardWrite', { text });
}
