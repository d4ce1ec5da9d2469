/** A place in the past: the index of a line and UTF-16 units of its text. */
export interface TextPlace {
  readonly line: number;
  readonly offset: number;
}

export interface Selection {
  /** Where it began; the other end moves. */
  readonly anchor: TextPlace;
  readonly focus: TextPlace;
}

export function ordered({ anchor, focus }: Selection): readonly [from: TextPlace, to: TextPlace] {
  const isForward = anchor.line < focus.line || (anchor.line === focus.line && anchor.offset <= focus.offset);
  return isForward ? [anchor, focus] : [focus, anchor];
}

export function isEmpty({ anchor, focus }: Selection): boolean {
  return anchor.line === focus.line && anchor.offset === focus.offset;
}

/** What is selected of one line, as units from and to; null: nothing of it. */
export function partOf(selection: Selection, line: number, length: number): readonly [from: number, to: number] | null {
  const [from, to] = ordered(selection);
  if (line < from.line || line > to.line) return null;
  const part = [line === from.line ? from.offset : 0, line === to.line ? Math.min(to.offset, length) : length] as const;
  return part[0] < part[1] || (line < to.line && length === 0) ? part : null;
}

/** The selected text. */
export function selectedText(selection: Selection, text: (line: number) => string): string {
  const [from, to] = ordered(selection);
  const lines: string[] = [];
  for (let line = from.line; line <= to.line; line += 1) {
    const whole = text(line);
    lines.push(whole.slice(line === from.line ? from.offset : 0, line === to.line ? to.offset : whole.length));
  }
  return lines.join('\n');
}

/** As the terminal's own double click: letters, digits and what paths and addresses are made of. */
const WORD = /[^\s()[\]{}'",;<>|`]+/g;

export function wordAt({ line, offset }: TextPlace, text: string): Selection {
  for (const { 0: word, index } of text.matchAll(WORD)) {
    if (index <= offset && offset < index + word.length)
      return { anchor: { line, offset: index }, focus: { line, offset: index + word.length } };
  }
  return { anchor: { line, offset }, focus: { line, offset: Math.min(offset + 1, text.length) } };
}

export function lineAt({ line }: TextPlace, text: string): Selection {
  return { anchor: { line, offset: 0 }, focus: { line, offset: text.length } };
}
