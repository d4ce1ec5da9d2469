import { type Json, readEvent } from '../../src-shared/events.ts';

/** Channels whose events hold text that people search for. */
export const TEXT_CHANNELS: readonly string[] = [
  'pty:stdout',
  'run:prompt',
  'run:permission',
  'claude:transcript',
  'system:status',
];

export const OUTPUT_CHANNEL = 'pty:stdout';

const ESC = 0x1b;
const BEL = 0x07;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const DELETE = 0x7f;

/** Where in a control sequence the stream stands. */
type Mode = 'text' | 'escape' | 'charset' | 'csi' | 'string' | 'string-escape';

/**
 * What a terminal's output says, without how it looks: control sequences go, those that move the cursor leave a space, a carriage
 * return or newline ends a line. Output may be cut anywhere; the state is kept from one piece to the next.
 */
export class OutputText {
  #mode: Mode = 'text';
  #lastWasReturn = false;

  /** Writes the text of `bytes` into `target` (which has room for as many) at `at`; returns where it ends. */
  strip(bytes: Uint8Array, target: Uint8Array, at: number): number {
    let end = at;
    for (const byte of bytes) {
      if (this.#mode === 'text' && byte >= SPACE && byte !== DELETE) {
        target[end++] = byte;
        this.#lastWasReturn = false;
      } else {
        const kept = this.#mode === 'text' ? this.#control(byte) : this.#sequence(byte);
        if (kept !== 0) target[end++] = kept;
      }
    }
    return end;
  }

  #control(byte: number): number {
    if (byte === ESC) this.#mode = 'escape';
    if (byte === NEWLINE && this.#lastWasReturn) {
      this.#lastWasReturn = false;
      return 0;
    }
    this.#lastWasReturn = byte === RETURN;
    if (byte === NEWLINE || byte === RETURN) return NEWLINE;
    return byte === 0x09 ? SPACE : 0;
  }

  #sequence(byte: number): number {
    switch (this.#mode) {
      case 'escape':
        this.#mode = afterEscape(byte);
        return 0;
      case 'charset':
        this.#mode = 'text';
        return 0;
      case 'csi':
        if (byte < 0x40 || byte > 0x7e) return 0;
        this.#mode = 'text';
        return movesCursor(byte) ? SPACE : 0;
      case 'string':
        if (byte === BEL) this.#mode = 'text';
        else if (byte === ESC) this.#mode = 'string-escape';
        return 0;
      default:
        this.#mode = byte === ESC ? 'string-escape' : 'text';
        return 0;
    }
  }
}

function afterEscape(byte: number): Mode {
  const next = String.fromCharCode(byte);
  if (next === '[') return 'csi';
  if (']P_^X'.includes(next)) return 'string';
  return '()*+-./#% '.includes(next) ? 'charset' : 'text';
}

/** Cursor movement and tabs; not colours, modes, erasing. */
function movesCursor(final: number): boolean {
  return 'ABCDEFGHIZ`adef'.includes(String.fromCharCode(final));
}

/** The text of an event that is not terminal output; '' if it has none to search. */
export function textOf(channel: string, type: string, payload: Json): string {
  const event = readEvent({ channel, type, payload });
  if (event === null) return '';
  switch (event.channel) {
    case 'run:prompt':
      if (event.type === 'queued') return event.payload.content.text;
      return event.type === 'edited' ? event.payload.text : '';
    case 'run:permission':
      return event.type === 'asked' ? [event.payload.toolName, ...strings(event.payload.input)].join('\n') : '';
    case 'system:status':
      if (event.type === 'renamed') return event.payload.title ?? '';
      return event.type === 'failed' ? event.payload.message : '';
    case 'claude:transcript':
      return event.payload.entries.map(entryText).filter(Boolean).join('\n');
    default:
      return '';
  }
}

/** An entry of Claude Code's transcript; its shape is Claude Code's own and may change, so whatever is not as expected is left out. */
function entryText(entry: Json): string {
  const content = field(field(entry, 'message'), 'content');
  const summary = field(entry, 'summary');
  return [...blockTexts(content), ...(typeof summary === 'string' ? [summary] : [])].join('\n');
}

function blockTexts(content: Json | undefined): string[] {
  if (typeof content === 'string') return [content];
  if (!Array.isArray(content)) return [];
  return content.flatMap((block: Json) => {
    const type = field(block, 'type');
    if (type === 'tool_use') return strings(field(block, 'input'));
    if (type === 'tool_result') return blockTexts(field(block, 'content'));
    return [field(block, 'text'), field(block, 'thinking')].filter((text) => typeof text === 'string');
  });
}

function strings(value: Json | undefined): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((inner) => strings(inner as Json | undefined));
}

function field(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as { readonly [key: string]: Json | undefined })[name] : undefined;
}
