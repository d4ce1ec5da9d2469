import type { Json, PermissionAsked, PermissionDecision } from '../../src-shared/events.ts';
import type { Command } from '../../src-shared/protocol.ts';
import { oneLine, type Paint } from './output.ts';
import { permissionText, refusedInside } from './permission-text.ts';
import { answerTo, type Question, questionsOf, questionText } from './questions.ts';

type PermissionCommand = Extract<Command, { kind: 'permission' }>;
export type Answer = Pick<PermissionCommand, 'requestId' | 'decision' | 'reason' | 'updatedInput'>;

/** What a typed line leads to: something to be shown, an answer to be sent, or nothing yet. */
interface Outcome {
  readonly said: string | null;
  readonly answer: Answer | null;
}

/** The permission requests of a conversation, asked one after another at its prompt. */
export class ChatPermissions {
  readonly #paint: Paint;
  readonly #isInside = refusedInside();
  #pending: readonly PermissionAsked[] = [];
  /** Asked on screen and not answered. */
  #current: PermissionAsked | null = null;
  #questions: readonly Question[] = [];
  #answers: Record<string, Json> = {};
  /** Answered here; the log has not said so yet. */
  readonly #answered = new Set<string>();

  constructor(paint: Paint) {
    this.#paint = paint;
  }

  get isAsking(): boolean {
    return this.#current !== null && !this.#isInside;
  }

  /** What stands in front of what is typed; null: the usual. */
  get prompt(): string | null {
    if (this.#current === null || this.#isInside) return null;
    if (this.#questions.length > 0) return 'answer › ';
    return this.#current.sessionRule === null ? '1 allow  3 deny › ' : '1 allow  2 allow for session  3 deny › ';
  }

  /** Takes what is asked now; gives what is to be shown. */
  update(pending: readonly PermissionAsked[]): string | null {
    this.#pending = pending.filter(({ requestId }) => !this.#answered.has(requestId));
    if (this.#current !== null && this.#pending.some(({ requestId }) => requestId === this.#current?.requestId)) return null;
    const wasAsking = this.#current !== null && !this.#answered.has(this.#current.requestId);
    const gone = wasAsking ? `${this.#paint('dim', '— Answered elsewhere, or no longer asked.')}\n` : '';
    this.#current = this.#pending[0] ?? null;
    this.#questions = this.#current === null ? [] : questionsOf(this.#current);
    this.#answers = {};
    const text = gone + this.#asked();
    return text === '' ? null : text;
  }

  answer(line: string): Outcome {
    const [question] = this.#questions;
    if (this.#current === null) return { said: null, answer: null };
    if (question !== undefined) return this.#answerQuestion(question, line);
    const [, choice, rest = ''] = /^\s*([123])\b\s*(.*)$/.exec(line) ?? [];
    const decisions: Readonly<Record<string, PermissionDecision>> = { 1: 'allow', 2: 'allow-session', 3: 'deny' };
    const decision = decisions[choice ?? ''];
    if (decision === undefined || (decision === 'allow-session' && this.#current.sessionRule === null)) {
      return { said: this.#paint('dim', '— Type 1 or 3 (3 and a reason, if you like), then Enter.'), answer: null };
    }
    return this.#decide({ decision, reason: rest === '' ? null : rest });
  }

  #answerQuestion(question: Question, line: string): Outcome {
    if (line.trim() === '') return { said: null, answer: null };
    this.#answers[question.question] = answerTo(question, line);
    this.#questions = this.#questions.slice(1);
    if (this.#questions.length > 0) return { said: this.#asked(), answer: null };
    return this.#decide({ decision: 'allow', reason: null, answers: this.#answers });
  }

  #decide({ answers, ...decided }: Pick<Answer, 'decision' | 'reason'> & { answers?: Record<string, Json> }): Outcome {
    const current = this.#current;
    if (current === null) return { said: null, answer: null };
    this.#answered.add(current.requestId);
    const updated = answers === undefined ? {} : { updatedInput: { ...current.input, answers } as Answer['updatedInput'] };
    const said = this.update(this.#pending);
    return { said, answer: { requestId: current.requestId, ...decided, ...updated } };
  }

  #asked(): string {
    if (this.#current === null) return '';
    const [question] = this.#questions;
    const text = question === undefined ? permissionText(this.#current, this.#paint) : questionText(question, this.#paint);
    const { sessionRule } = this.#current;
    const rule =
      sessionRule === null || question !== undefined
        ? ''
        : `\n${this.#paint('dim', `  For the session: ${oneLine(sessionRule)}`)}`;
    const where = this.#isInside
      ? `\n${this.#paint('dim', '  Answer it in the window: this terminal is inside a session.')}`
      : '';
    return `${text}${rule}${where}\n`;
  }
}
