import { constants } from 'node:os';
import { clearScreenDown, createInterface, cursorTo, emitKeypressEvents, type Interface, moveCursor } from 'node:readline';
import { PassThrough } from 'node:stream';
import type { AttachmentListener, ClientAttachment, RunSessionClient } from '../../src-shared/client.ts';
import { type Conversation, EMPTY_CONVERSATION, foldEvents } from '../../src-shared/conversation/conversation.ts';
import { overlayLive } from '../../src-shared/conversation/conversation-live.ts';
import type { LogEvent } from '../../src-shared/events.ts';
import type { RunId, Seq } from '../../src-shared/ids.ts';
import { LiveTexts } from '../../src-shared/live-texts.ts';
import type { LiveText } from '../../src-shared/protocol.ts';
import type { SessionState } from '../../src-shared/session.ts';
import { ChatPermissions } from './chat-permissions.ts';
import { ConversationText } from './conversation-text.ts';
import { DetachKeys } from './detach-keys.ts';
import { newInputId } from './engine-client.ts';
import { EXIT, Failure, failureOf } from './failure.ts';
import { type Left, leftBy } from './left.ts';
import { hasColors, oneLine, type Paint, painter } from './output.ts';

export interface ChatOptions {
  readonly detachKeys: Uint8Array;
  readonly isReadOnly: boolean;
}

const PROMPT = '› ';
/** A line that ends so goes on in the next. */
const CONTINUES = '\\';

/** A conversation in this terminal: what is said scrolls by, what is typed at the bottom is a prompt or an answer. */
export async function attachChat(client: RunSessionClient, runId: RunId, options: ChatOptions): Promise<Left> {
  const chat = new Chat(client, runId, options);
  try {
    return await chat.left;
  } finally {
    chat.restore();
  }
}

class Chat implements AttachmentListener {
  readonly left: Promise<Left>;
  readonly #client: RunSessionClient;
  readonly #runId: RunId;
  readonly #options: ChatOptions;
  readonly #paint: Paint = painter(hasColors(process.stdout));
  readonly #permissions: ChatPermissions;
  readonly #lines: Interface;
  readonly #attachment: ClientAttachment;
  readonly #live = new LiveTexts();
  /** Prompts that were typed here: they stand on the screen already. */
  readonly #ownInputs = new Set<string>();
  readonly #releases: (() => void)[] = [];
  #view: Conversation = EMPTY_CONVERSATION;
  #text = new ConversationText(hasColors(process.stdout));
  #begun = '';
  #isLeaving = false;
  #isRestored = false;
  #lastSeq = 0;
  #leave: (left: Left) => void = () => {};
  #fail: (error: Error) => void = () => {};

  constructor(client: RunSessionClient, runId: RunId, options: ChatOptions) {
    this.#client = client;
    this.#runId = runId;
    this.#options = options;
    this.left = new Promise((resolve, reject) => {
      this.#leave = resolve;
      this.#fail = reject;
    });
    this.#permissions = new ChatPermissions(this.#paint);
    this.#lines = this.#open();
    this.#attachment = client.attach(runId, { after: null }, this);
  }

  onStart({ lastSeq }: { readonly lastSeq: Seq }): void {
    this.#lastSeq = lastSeq;
    this.#view = EMPTY_CONVERSATION;
    this.#text = new ConversationText(hasColors(process.stdout));
  }

  onEvents(events: readonly LogEvent[]): void {
    this.#view = foldEvents(this.#view, events);
    if (events.some(({ channel }) => channel === 'run:turn')) this.#live.clear();
    this.#show();
    this.#leaveWhenOver();
  }

  onLive(live: LiveText): void {
    this.#live.add(live);
    this.#show();
  }

  onLiveReset(): void {
    this.#live.clear();
  }

  onState(state: SessionState): void {
    const asked = this.#permissions.update(state.permissions.map((pending) => pending.asked));
    if (asked !== null) this.#print(asked);
    this.#setPrompt();
    if (state.claude?.blocked != null && !this.#isLeaving) this.#note(state.claude.blocked.message);
    this.#leaveWhenOver();
  }

  onRefused({ message, hint }: { readonly message: string; readonly hint: string | null }): void {
    this.#fail(new Failure(EXIT.failed, message, hint));
  }

  restore(): void {
    if (this.#isRestored) return;
    this.#isRestored = true;
    this.#attachment.detach();
    this.#eraseInput();
    for (const release of this.#releases.reverse()) release();
  }

  #open(): Interface {
    const { stdin, stdout } = process;
    stdin.setRawMode(true);
    const keys = new DetachKeys(this.#options.detachKeys);
    const typed = new PassThrough();
    const onTyped = (bytes: Buffer) => {
      const taken = keys.take(bytes);
      if (taken.keys.length > 0) typed.write(taken.keys);
      if (taken.isDetached) this.#leave({ is: 'detached' });
    };
    const onSignal = (signal: NodeJS.Signals) => {
      this.restore();
      process.exit(128 + constants.signals[signal]);
    };
    stdin.on('data', onTyped);
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
    const forget = this.#client.onConnection(({ is }) => {
      if (is === 'stopped') this.restore();
    });
    const lines = createInterface({ input: typed, output: stdout, terminal: true, prompt: PROMPT });
    emitKeypressEvents(typed);
    typed.on('keypress', (_: unknown, key: { readonly name?: string } | undefined) => {
      if (key?.name === 'escape') this.#interrupt();
      else if (key?.name !== 'c') this.#isLeaving = false;
    });
    lines.on('line', (line) => this.#handleLine(line));
    lines.on('SIGINT', () => this.#handleCtrlC());
    lines.on('close', () => this.#leave({ is: 'detached' }));
    this.#releases.push(() => {
      forget();
      stdin.off('data', onTyped);
      for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal);
      lines.close();
      stdin.setRawMode(false);
      stdin.pause();
    });
    return lines;
  }

  #show(): void {
    const text = this.#text.update(overlayLive(this.#view.turns, this.#live.all), this.#ownInputs);
    if (text !== '') this.#print(text);
  }

  /** Above the line that is being typed. */
  #print(text: string): void {
    if (this.#isRestored) return;
    this.#eraseInput();
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
    this.#lines.prompt(true);
  }

  #note(text: string): void {
    this.#print(this.#paint('dim', `— ${oneLine(text)}`));
  }

  #eraseInput(): void {
    const { rows } = this.#lines.getCursorPos();
    if (rows > 0) moveCursor(process.stdout, 0, -rows);
    cursorTo(process.stdout, 0);
    clearScreenDown(process.stdout);
  }

  #setPrompt(): void {
    this.#lines.setPrompt(this.#permissions.prompt ?? (this.#begun === '' ? PROMPT : '… '));
    if (!this.#isRestored) this.#lines.prompt(true);
  }

  #handleLine(line: string): void {
    if (this.#options.isReadOnly) this.#note('Read-only: nothing is sent.');
    else if (this.#permissions.isAsking) this.#answer(line);
    else if (line.endsWith(CONTINUES)) this.#begun += `${line.slice(0, -1)}\n`;
    else {
      const text = this.#begun + line;
      this.#begun = '';
      if (text.trim() !== '') this.#prompt(text);
    }
    this.#setPrompt();
  }

  #prompt(text: string): void {
    const inputId = newInputId();
    this.#ownInputs.add(inputId);
    this.#send({ kind: 'prompt', inputId, content: { text, images: [] } });
    const { turn, queue } = this.#attachment.state ?? { turn: null, queue: [] };
    if (turn !== null || queue.length > 0) this.#note('Queued: Claude is at work.');
  }

  #answer(line: string): void {
    const { said, answer } = this.#permissions.answer(line);
    if (said !== null) this.#print(said);
    if (answer !== null) this.#send({ kind: 'permission', inputId: newInputId(), ...answer });
  }

  #interrupt(): void {
    if (this.#options.isReadOnly || (this.#attachment.state?.turn ?? null) === null) return;
    this.#send({ kind: 'interrupt', inputId: newInputId() });
  }

  /** Never ends anything: it clears the line, and typed twice it leaves. */
  #handleCtrlC(): void {
    if (this.#lines.line !== '' || this.#begun !== '') {
      this.#begun = '';
      this.#lines.write(null, { ctrl: true, name: 'e' });
      this.#lines.write(null, { ctrl: true, name: 'u' });
      this.#setPrompt();
    } else if (this.#isLeaving) this.#leave({ is: 'detached' });
    else {
      this.#isLeaving = true;
      this.#note('Ctrl-C again leaves; the session goes on. Esc stops Claude.');
    }
  }

  #send(command: Parameters<RunSessionClient['send']>[1]): void {
    this.#client.send(this.#runId, command).catch((error: unknown) => {
      const { message, hint } = failureOf(error);
      this.#note(hint === null ? message : `${message} ${hint}`);
    });
  }

  #leaveWhenOver(): void {
    const { state, cursor } = this.#attachment;
    if (state === null || (cursor ?? 0) < this.#lastSeq) return;
    const left = leftBy(state);
    if (left !== null) this.#leave(left);
  }
}
