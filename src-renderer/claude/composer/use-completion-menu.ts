import { type KeyboardEvent, useId, useState } from 'react';
import { complete, type SlashCommand } from './completion.ts';
import { type Completion, type Folder, useCompletion } from './use-completion.ts';

export interface CompletionMenu {
  /** null: closed. */
  readonly completion: Completion | null;
  readonly listId: string;
  /** The choice that Enter takes. */
  readonly active: number;
  readonly setActive: (index: number) => void;
  readonly choose: (index: number) => void;
  /** True: the key was taken. */
  readonly handleKey: (event: KeyboardEvent) => boolean;
}

export interface CompletedText {
  readonly text: string;
  readonly caret: number;
  /** Puts a completed text in place, with its caret. */
  readonly put: (text: string, caret: number) => void;
}

/** The list of completions as the keyboard walks it: up and down, Tab or Enter take, Escape closes until the text changes. */
export function useCompletionMenu(
  { text, caret, put }: CompletedText,
  commands: readonly SlashCommand[],
  folder: Folder,
): CompletionMenu {
  const listId = useId();
  const [chosen, setActive] = useState(0);
  const [closedFor, setClosedFor] = useState<string | null>(null);
  const [activeFor, setActiveFor] = useState(text);
  const found = useCompletion(text, caret, commands, folder);
  const completion = found === null || closedFor === text ? null : found;
  // Another text has other choices: the first of them is the best.
  if (activeFor !== text) {
    setActiveFor(text);
    setActive(0);
  }
  const active = Math.min(chosen, (completion?.choices.length ?? 1) - 1);

  const choose = (index: number) => {
    const choice = completion?.choices[index];
    if (completion === null || choice === undefined) return;
    const done = complete(text, completion.trigger, choice.insert);
    put(done.text, done.caret);
  };
  const handleKey = (event: KeyboardEvent): boolean => {
    if (completion === null) return false;
    const { choices, trigger } = completion;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      setActive((active + (event.key === 'ArrowDown' ? 1 : choices.length - 1)) % choices.length);
      return true;
    }
    if (event.key === 'Escape') {
      setClosedFor(text);
      return true;
    }
    // A command that stands there whole is meant to be sent.
    const isWhole = trigger.kind === 'command' && choices[active]?.insert === text.trim();
    if (event.key !== 'Tab' && (event.key !== 'Enter' || event.shiftKey || isWhole)) return false;
    choose(active);
    return true;
  };
  return { completion, listId, active, setActive, choose, handleKey };
}
