import { newEvent, type PermissionDecision, type PromptContent } from '../../../src-shared/events.ts';
import type { InputId } from '../../../src-shared/ids.ts';
import type { LiveText } from '../../../src-shared/protocol.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import type { Adapter, AdapterFactory, AdapterHost } from './adapter.ts';

/** A prompt with this phrase asks for permission before it is answered. */
export const PERMISSION_PHRASE = 'may I';
/** A prompt with this phrase is answered only when it is interrupted. */
export const ENDLESS_PHRASE = 'wait for me';

/** The smallest adapter: echoes bytes, answers a prompt with its own text. For tests and diagnosis; it has no child. */
export const echoAdapter: AdapterFactory = (host) => new EchoAdapter(host);

interface Turn {
  readonly inputId: InputId;
  readonly text: string;
  /** The permission it waits for; null: none. */
  readonly requestId: string | null;
}

class EchoAdapter implements Adapter {
  private isRunning = false;
  private turn: Turn | null = null;
  private readonly host: AdapterHost;

  constructor(host: AdapterHost) {
    this.host = host;
  }

  async start(): Promise<void> {
    if (this.isRunning) throw new RefusalError('bad-request', 'The echo is running already.');
    this.isRunning = true;
    await this.host.append([newEvent('system:status', 'started', { pid: null, command: null })]);
  }

  write(data: Uint8Array): void {
    if (this.isRunning) this.host.output(data);
  }

  resize(): void {}

  async prompt({ inputId, content }: { readonly inputId: InputId; readonly content: PromptContent }): Promise<void> {
    if (!this.isRunning) throw new RefusalError('not-running', 'The echo does not run.', 'Start the session again.');
    const { text } = content;
    const requestId = text.includes(PERMISSION_PHRASE) ? `ask-${inputId}` : null;
    this.turn = { inputId, text, requestId };
    this.host.live(liveText(this.turn));
    if (requestId !== null) await this.ask(requestId, text);
    else if (!text.includes(ENDLESS_PHRASE)) await this.reply(text);
  }

  async answer(answer: { readonly requestId: string; readonly decision: PermissionDecision; readonly reason: string | null }) {
    if (this.turn?.requestId !== answer.requestId)
      throw new RefusalError('unknown-target', `Nothing waits for an answer to ${answer.requestId}.`);
    await this.reply(answer.decision === 'deny' ? `denied: ${answer.reason ?? 'no reason given'}` : this.turn.text);
  }

  async interrupt(): Promise<void> {
    this.endTurn('interrupted', null);
  }

  async setOptions(): Promise<void> {
    throw new RefusalError('unsupported', 'An echo session has no model or permission mode.');
  }

  pauseOutput(): void {}
  resumeOutput(): void {}

  liveTexts(): readonly LiveText[] {
    return this.turn === null ? [] : [liveText(this.turn)];
  }

  async close(): Promise<void> {
    if (!this.isRunning) return;
    this.isRunning = false;
    this.endTurn('failed', 'The echo was closed.');
    this.host.exited({ exitCode: 0, signal: null, reason: null });
  }

  private async ask(requestId: string, text: string): Promise<void> {
    const asked = {
      requestId,
      toolName: 'Echo',
      input: { text },
      toolUseId: null,
      sessionRule: null,
      title: null,
      reason: null,
    };
    await this.host.append([newEvent('run:permission', 'asked', asked)]);
  }

  /** Its channel is known to nobody else: the smallest proof that the core carries what it does not know. */
  private async reply(text: string): Promise<void> {
    const inputId = this.turn?.inputId ?? null;
    await this.host.append([{ channel: 'echo:message', type: 'message', payload: { inputId, text } }]);
    this.endTurn('done', null);
  }

  private endTurn(outcome: 'done' | 'interrupted' | 'failed', message: string | null): void {
    const turn = this.turn;
    if (turn === null) return;
    this.turn = null;
    this.host.turnEnded({ inputId: turn.inputId, outcome, message });
  }
}

function liveText({ inputId, text }: Turn): LiveText {
  return { messageId: inputId, block: 0, blockKind: 'text', toolName: null, parentToolUseId: null, offset: 0, text };
}
