import type { LogEvent } from '../../../src-shared/events.ts';
import { type ClientId, FIRST_EPOCH, type RunId, Seq } from '../../../src-shared/ids.ts';
import type { HostMessage, LiveText } from '../../../src-shared/protocol.ts';
import type { RefusalError } from '../../../src-shared/refusal.ts';
import type { SessionState } from '../../../src-shared/session.ts';
import { foldState, initialState } from '../../../src-shared/session-state.ts';
import type { CommandDraft } from '../../pane-contract.ts';
import { ScriptedHost } from '../../testing/scripted-host.ts';

const TAIL_EVENTS = 600;

/** A scripted engine with one conversation: serves its log to whoever attaches or pages back, and tells of what is added. */
export class ConversationHost extends ScriptedHost {
  readonly runId: RunId;
  readonly #events: readonly LogEvent[];
  /** Refuses every command with it. */
  refuse: RefusalError | null = null;
  /** Answers no command, as one whose machine is away. */
  isSilent = false;
  #told = 0;
  #state: SessionState;

  /** `events` may grow; `tell` makes what was added known. */
  constructor(events: readonly LogEvent[]) {
    super();
    this.#events = events;
    const session = this.add({ kind: 'claude', title: 'A conversation', cwd: '/home/me/baton', status: 'idle' });
    this.runId = session.runId;
    this.#state = initialState({
      kind: 'claude',
      cwd: session.cwd,
      model: 'claude-opus-5-5',
      permissionMode: 'default',
      options: {},
      forkOf: null,
    });
    this.#fold();
    this.answers = {
      'history.read': ({ before, after, limit }) => {
        const fits = this.#logged().filter(({ seq }) => (before === undefined ? seq > (after ?? 0) : seq < before));
        const page = before === undefined ? fits.slice(0, limit) : fits.slice(-limit);
        const lastSeq = Seq.parse(this.#events.length);
        return { events: page, firstSeq: Seq.parse(1), lastSeq, more: fits.length > page.length };
      },
    };
  }

  get state(): SessionState {
    return this.#state;
  }

  changeClaude(over: Partial<NonNullable<SessionState['claude']>>): void {
    if (this.#state.claude === null) return;
    this.#state = { ...this.#state, claude: { ...this.#state.claude, ...over } };
  }

  /** Makes known what was added to the log since. */
  tell(): void {
    const from = this.#told;
    this.#fold();
    this.send({ type: 'run:events', runId: this.runId, events: this.#logged().slice(from) });
  }

  viewedBy(viewers: readonly { clientId: ClientId; name: string }[]): void {
    this.send({ type: 'run:viewers', runId: this.runId, driver: null, viewers: [...viewers] });
  }

  writing(text: string, more: Partial<LiveText> = {}): void {
    const live = {
      messageId: 'msg_live',
      block: 0,
      blockKind: 'text' as const,
      toolName: null,
      parentToolUseId: null,
      offset: 0,
    };
    this.send({ type: 'run:live', runId: this.runId, live: { ...live, text, ...more } });
  }

  override send(message: HostMessage): void {
    if (message.type === 'run:input-result' && this.isSilent) return;
    if (message.type === 'run:input-result' && this.refuse !== null) {
      super.send({ ...message, outcome: { ok: false, refusal: this.refuse.refusal } });
      return;
    }
    if (message.type !== 'run:attached' || message.runId !== this.runId) {
      super.send(message);
      return;
    }
    const lastSeq = Seq.parse(this.#events.length);
    const after = Seq.parse(Math.max(0, lastSeq - TAIL_EVENTS));
    super.send({ ...message, epoch: FIRST_EPOCH, after, lastSeq, state: this.#state });
    super.send({ type: 'run:events', runId: this.runId, events: this.#logged().slice(after) });
  }

  /** The commands that came, without their ids. */
  commands(): readonly CommandDraft[] {
    return this.received.flatMap((message): CommandDraft[] => {
      if (message.type !== 'run:input' || !('inputId' in message.input)) return [];
      const { inputId: _, ...command } = message.input;
      return [command];
    });
  }

  #logged() {
    return this.#events.map((event) => ({ ...event, runId: this.runId }));
  }

  #fold(): void {
    for (const event of this.#events.slice(this.#told)) this.#state = foldState(this.#state, event);
    this.#told = this.#events.length;
    this.states.set(this.runId, this.#state);
  }
}
