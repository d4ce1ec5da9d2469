import type { Item, Notice, ToolItem, Turn } from '../../src-shared/conversation/conversation-items.ts';
import { oneLine, type Paint, painter, plainText } from './output.ts';

const MAX_RESULT_LINES = 12;
const MAX_LINE_CHARS = 400;

/**
 * A conversation as text that only grows: each call gives what is new since the last. Text that is being written comes line by
 * line; a tool's call when its input is whole, its result when it has one.
 */
export class ConversationText {
  readonly #paint: Paint;
  /** What of each thing has been printed: characters of a text, or a word for a stage. */
  readonly #printed = new Map<string, number>();

  constructor(hasColors: boolean) {
    this.#paint = painter(hasColors);
  }

  /** `ownInputs`: prompts whose text the user has just typed on this screen. */
  update(turns: readonly Turn[], ownInputs: ReadonlySet<string> = new Set()): string {
    // Only the last turns can have changed.
    return turns
      .slice(-2)
      .map((turn) => this.#turn(turn, ownInputs))
      .join('');
  }

  #turn(turn: Turn, ownInputs: ReadonlySet<string>): string {
    let text = '';
    const { prompt, end } = turn;
    const isOwn = prompt?.inputId !== null && prompt?.inputId !== undefined && ownInputs.has(prompt.inputId);
    const said = prompt?.text;
    if (said !== null && said !== undefined && this.#isNew(`${turn.key}:prompt`) && !isOwn) {
      text += `\n${this.#paint('bold', `› ${plainText(said).split('\n').join('\n  ')}`)}\n`;
    }
    for (const item of turn.items) text += this.#item(item);
    if (end !== null && end.outcome !== 'done' && this.#isNew(`${turn.key}:end`)) {
      text += this.#line('yellow', `— ${end.outcome}${end.message === null ? '' : `: ${oneLine(end.message)}`}`);
    }
    return text;
  }

  #item(item: Item): string {
    switch (item.kind) {
      case 'text':
        return this.#growing(item.key, item.text, item.live);
      case 'tool':
        return this.#tool(item);
      case 'error':
        return this.#isNew(item.key) ? this.#line('red', `✗ ${oneLine(item.text)}`) : '';
      case 'notice': {
        const said = noticeText(item.notice);
        return said !== null && this.#isNew(item.key) ? this.#line('dim', `— ${said}`) : '';
      }
      case 'thinking':
      case 'permission':
      case 'raw':
      case 'quiet':
      case 'end':
        return '';
    }
  }

  #growing(key: string, whole: string, isLive: boolean): string {
    const shown = plainText(whole);
    const from = this.#printed.get(key) ?? 0;
    const to = isLive ? shown.lastIndexOf('\n') + 1 : shown.length;
    const isFinished = !isLive && this.#isNew(`${key}:whole`);
    if (to <= from && !isFinished) return '';
    this.#printed.set(key, Math.max(from, to));
    const start = from === 0 && to > 0 ? `\n` : '';
    const piece = shown.slice(from, to);
    return `${start}${piece}${isFinished && !shown.endsWith('\n') && shown !== '' ? '\n' : ''}`;
  }

  #tool(item: ToolItem): string {
    let text = '';
    if (item.partialInput === null && this.#isNew(`${item.key}:call`)) {
      text += this.#line('cyan', `● ${item.name}${toolInput(item)}`);
    }
    if (item.result !== null && this.#isNew(`${item.key}:result`)) {
      const { isError, text: said, denial } = item.result;
      const shown = resultLines(plainText(said).trimEnd());
      if (shown !== '') text += this.#line(isError || denial !== null ? 'red' : 'dim', shown);
    }
    return text;
  }

  #line(style: Parameters<Paint>[0], text: string): string {
    return `${this.#paint(style, text)}\n`;
  }

  #isNew(key: string): boolean {
    if (this.#printed.has(key)) return false;
    this.#printed.set(key, 0);
    return true;
  }
}

function resultLines(text: string): string {
  if (text === '') return '';
  const lines = text.split('\n');
  const shown = lines.slice(0, MAX_RESULT_LINES).map((line) => `  ${line.slice(0, MAX_LINE_CHARS)}`);
  if (lines.length > MAX_RESULT_LINES) shown.push(`  … ${lines.length - MAX_RESULT_LINES} more lines`);
  return shown.join('\n');
}

/** The one thing of a tool's input that says what it does. */
const TELLING = ['command', 'file_path', 'path', 'pattern', 'url', 'query', 'description', 'prompt'];

function toolInput({ input }: ToolItem): string {
  const key = TELLING.find((candidate) => typeof input[candidate] === 'string');
  return key === undefined ? '' : ` ${oneLine(String(input[key])).slice(0, MAX_LINE_CHARS)}`;
}

function noticeText(notice: Notice): string | null {
  switch (notice.type) {
    case 'interrupted':
      return 'interrupted';
    case 'compacted':
      return 'the conversation was compacted';
    case 'command-output':
    case 'task':
    case 'message':
      return oneLine(notice.text);
    case 'cleared':
      return 'what was said before is no longer in Claude’s context';
    case 'retry':
      return `the provider failed, attempt ${notice.attempt} of ${notice.of}: ${oneLine(notice.reason)}`;
    case 'crashed':
      return `the engine died here: ${oneLine(notice.reason)}`;
    case 'exited':
      return `ended${notice.reason === null ? '' : `: ${oneLine(notice.reason)}`}`;
    case 'gap':
      return `${notice.bytes} bytes are missing here: ${oneLine(notice.reason)}`;
    case 'model':
      return `model: ${notice.model ?? 'Claude’s own choice'}`;
    case 'mode':
      return `permission mode: ${notice.mode}`;
    case 'started':
    case 'summary':
    case 'forked':
      return null;
  }
}
