import type { IDecoration, IDisposable, IMarker, Terminal } from '@xterm/xterm';
import { textOfRows } from './buffer-text.ts';

/** A shell's prompt and the command that was given there (OSC 133). */
interface Command {
  readonly prompt: IMarker;
  /** Where its output begins (C) and where it ended (D). */
  output: IMarker | null;
  end: IMarker | null;
  state: CommandState;
  decoration: IDecoration | null;
}

/** null: it ended and did not say how. */
export type CommandState =
  | { readonly is: 'typing' }
  | { readonly is: 'running' }
  | { readonly is: 'done'; readonly exitCode: number | null };

export interface CommandMarksOptions {
  /** Words for the mark's tooltip and for screen readers. */
  readonly describe: (state: CommandState) => string;
}

/** More marks than a terminal has live lines to hold them are never kept; this bounds programs that print marks only. */
const MOST_COMMANDS = 2_000;

/** Marks each command at the left edge with how it ended, and knows the way from one to the next. */
export class CommandMarks {
  readonly #terminal: Terminal;
  readonly #options: CommandMarksOptions;
  readonly #handler: IDisposable;
  #commands: Command[] = [];

  constructor(terminal: Terminal, options: CommandMarksOptions) {
    this.#terminal = terminal;
    this.#options = options;
    this.#handler = terminal.parser.registerOscHandler(133, (data) => this.#handle(data));
  }

  /** The row to show for the command before (or after) the row that is on top now; null: there is none. */
  rowOf(direction: 'previous' | 'next', from: number): number | null {
    const rows = this.#live().map(({ prompt }) => prompt.line);
    return (direction === 'previous' ? rows.findLast((row) => row < from) : rows.find((row) => row > from)) ?? null;
  }

  /** What the last command that has ended printed; null: none has. */
  lastOutput(): string | null {
    const command = this.#live().findLast(({ state, output }) => state.is === 'done' && output !== null && !output.isDisposed);
    if (!command?.output || !command.end) return null;
    return textOfRows(this.#terminal.buffer.normal, command.output.line, command.end.line);
  }

  get hasCommands(): boolean {
    return this.#live().length > 0;
  }

  get hasOutput(): boolean {
    return this.#live().some(({ state, output }) => state.is === 'done' && output !== null && !output.isDisposed);
  }

  /** The terminal begins anew: its old rows are no more. */
  clear(): void {
    for (const { prompt, output, end } of this.#commands) for (const marker of [prompt, output, end]) marker?.dispose();
    this.#commands = [];
  }

  dispose(): void {
    this.#handler.dispose();
    this.clear();
  }

  #live(): readonly Command[] {
    return this.#commands.filter(({ prompt }) => !prompt.isDisposed);
  }

  #handle(data: string): boolean {
    // A program on the other screen (an editor with a terminal in it) marks its own lines, not the shell's.
    if (this.#terminal.buffer.active.type !== 'normal') return true;
    const [kind, argument] = data.split(';');
    const current = this.#commands.at(-1);
    if (kind === 'A') this.#begin();
    else if (current && kind === 'C' && current.state.is === 'typing') {
      current.output = this.#terminal.registerMarker();
      this.#change(current, { is: 'running' });
    } else if (current && kind === 'D' && current.state.is === 'running') {
      current.end = this.#terminal.registerMarker();
      this.#change(current, { is: 'done', exitCode: /^\d{1,10}$/.test(argument ?? '') ? Number(argument) : null });
    }
    return true;
  }

  #begin(): void {
    const last = this.#commands.at(-1);
    const prompt = this.#terminal.registerMarker();
    // The shell has drawn its prompt again (a resize, Ctrl+L, an empty line): the old one is no command.
    if (last?.state.is === 'typing') {
      last.prompt.dispose();
      this.#commands.pop();
    } else if (last?.state.is === 'running') {
      last.end = this.#terminal.registerMarker();
      this.#change(last, { is: 'done', exitCode: null });
    }
    this.#commands = [...(this.#commands.length < MOST_COMMANDS ? this.#commands : this.#live().slice(1)), fresh(prompt)];
  }

  #change(command: Command, state: CommandState): void {
    command.state = state;
    command.decoration ??= this.#decorate(command);
    if (command.decoration?.element) this.#draw(command, command.decoration.element);
  }

  #decorate(command: Command): IDecoration | null {
    const decoration = this.#terminal.registerDecoration({ marker: command.prompt, x: 0, width: 1 });
    decoration?.onRender((element) => this.#draw(command, element));
    return decoration ?? null;
  }

  #draw({ state }: Command, element: HTMLElement): void {
    const look = state.is === 'done' ? lookOf(state.exitCode) : 'running';
    if (element.dataset.look === look) return;
    const text = this.#options.describe(state);
    element.classList.add('command-mark');
    element.dataset.look = look;
    element.title = text;
    element.setAttribute('role', 'img');
    element.setAttribute('aria-label', text);
  }
}

function fresh(prompt: IMarker): Command {
  return { prompt, output: null, end: null, state: { is: 'typing' }, decoration: null };
}

function lookOf(exitCode: number | null): 'passed' | 'failed' | 'ended' {
  if (exitCode === null) return 'ended';
  return exitCode === 0 ? 'passed' : 'failed';
}
