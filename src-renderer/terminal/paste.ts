/** Control characters that no text needs: they could press keys (Ctrl+C, ESC) in the program that gets the text. */
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

export interface PasteTarget {
  /** The program has asked to be told what was pasted (DECSET 2004): it runs nothing of it by itself. */
  readonly isBracketed: boolean;
  /** The user wants to be asked before several lines reach a program that would run them. */
  readonly warns: boolean;
}

/** What to do with a text that the user pastes or drops. */
export type PastePlan =
  | { readonly is: 'nothing' }
  | { readonly is: 'send'; readonly data: string }
  /** Its lines would run one after the other: to be confirmed. */
  | { readonly is: 'confirm'; readonly text: string; readonly lines: number; readonly data: string };

export function planPaste(pasted: string, target: PasteTarget): PastePlan {
  const text = cleanPaste(pasted);
  if (text === '') return { is: 'nothing' };
  if (target.isBracketed) return { is: 'send', data: `\u001b[200~${typed(text)}\u001b[201~` };
  if (!target.warns) return { is: 'send', data: typed(text) };
  // A single line that was copied with its end would run before it has been looked at.
  const line = text.replace(/\n$/, '');
  if (!line.includes('\n')) return line === '' ? { is: 'nothing' } : { is: 'send', data: line };
  return { is: 'confirm', text, lines: line.split('\n').length, data: typed(text) };
}

/** Line ends as \n and no control characters, ESC above all: a text must not end its own brackets. */
function cleanPaste(pasted: string): string {
  return pasted.replace(/\r\n?/g, '\n').replace(CONTROLS, '');
}

/** As the keyboard would have typed it. */
function typed(text: string): string {
  return text.replaceAll('\n', '\r');
}
