import { cleanText } from '../../../src-shared/clean-text.ts';

/** A notice that a program sends to whoever looks after it. */
export interface ProgramNotice {
  readonly title: string | null;
  readonly body: string;
}

/** OSC 9 is also where other terminals take orders, by number: `4;…` is progress, `9;…` a folder. */
const ORDER = /^\d{1,2}(;|$)/;

/** OSC 9 (iTerm2): nothing but a text. */
export function readOsc9(data: string): ProgramNotice | null {
  return ORDER.test(data) ? null : notice('', data);
}

/** OSC 777 (urxvt): `notify;TITLE;BODY`. */
export function readOsc777(data: string): ProgramNotice | null {
  const [, title = '', body = ''] = /^notify;([^;]*);?(.*)$/s.exec(data) ?? [];
  return notice(title, body);
}

/** OSC 99 (kitty): `METADATA;TEXT`, title and body apart where they are long. Icons, buttons and questions are not for us. */
export class Osc99 {
  /** The one that is being told, and not more than one. */
  #begun = { id: '', title: '', body: '' };

  read(data: string): ProgramNotice | null {
    const [, metadata = '', text = ''] = /^([^;]*);(.*)$/s.exec(data) ?? [];
    const keys = new Map(metadata.split(':').map((pair): [string, string] => [pair.slice(0, 1), pair.slice(2)]));
    const part = keys.get('p') ?? 'title';
    if (part !== 'title' && part !== 'body') return null;
    const id = keys.get('i') ?? '';
    if (id !== this.#begun.id) this.#begun = { id, title: '', body: '' };
    const decoded = keys.get('e') === '1' ? Buffer.from(text, 'base64').toString() : text;
    this.#begun[part] = (this.#begun[part] + decoded).slice(0, MAX_PART_LENGTH);
    if (keys.get('d') === '0') return null;
    const { title, body } = this.#begun;
    this.#begun = { id: '', title: '', body: '' };
    return notice(title, body);
  }
}

/** More than is ever shown of one. */
const MAX_PART_LENGTH = 4096;

/** Cleaned and cut [pty-11]; a title alone is what there is to say. null: nothing to say. */
function notice(title: string, body: string): ProgramNotice | null {
  const [cleanTitle, cleanBody] = [title, body].map((text) => cleanText(text.slice(0, MAX_PART_LENGTH).replace(/\s+/g, ' ')));
  if (!cleanBody) return cleanTitle ? { title: null, body: cleanTitle } : null;
  return { title: cleanTitle || null, body: cleanBody };
}
