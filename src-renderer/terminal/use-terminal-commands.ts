import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Handler, Handlers } from '../commands.ts';
import { showNotice } from '../ui/toasts.tsx';
import type { HistoryHandle } from './history-view.tsx';
import type { TerminalView } from './terminal-view.ts';
import type { TerminalFinding } from './use-find.ts';

export interface TerminalActions {
  readonly copy: (text: string) => void;
  readonly paste: () => void;
  readonly openHistory: () => void;
  readonly openAccessible: () => void;
}

export interface CommandParts {
  readonly view: TerminalView | null;
  /** The past is seen, not the live terminal. */
  readonly isHistory: boolean;
  /** null while it is being read. */
  readonly history: HistoryHandle | null;
  readonly find: TerminalFinding;
  readonly actions: TerminalActions;
}

type ScrollStep = Parameters<HistoryHandle['scroll']>[0];

/** What the commands of the keymap do in a terminal's pane. What is not enabled is not offered, and its keys go to the program. */
export function useTerminalCommands({ view, isHistory, history, find, actions }: CommandParts): Handlers {
  const { t } = useTranslation('terminal');
  return useMemo(() => {
    if (view === null) return {};
    const scroll = (by: ScrollStep): Handler => ({
      // A full-screen program has pages of its own.
      isEnabled: () => isHistory || !view.isFullScreenProgram,
      run: () => {
        if (isHistory) history?.scroll(by);
        else if (!view.scroll(by) && view.hasMoreAbove) actions.openHistory();
      },
    });
    const command = (direction: 'previous' | 'next'): Handler => ({
      isEnabled: () => !isHistory && !view.isFullScreenProgram && view.marks.hasCommands,
      run: () => {
        if (!view.goToCommand(direction) && direction === 'next') view.scroll('bottom');
      },
    });
    const live = (run: () => void): Handler => ({ isEnabled: () => !isHistory, run });
    return {
      'find.show': { run: find.show },
      'find.next': { run: () => find.step('next') },
      'find.previous': { run: () => find.step('previous') },
      'find.close': { isEnabled: () => find.isOpen, run: find.close },
      'edit.copy': {
        isEnabled: () => (isHistory ? history?.selectedText() != null : view.hasSelection),
        run: () => {
          const text = isHistory ? history?.selectedText() : view.selectedText;
          if (text) actions.copy(text);
        },
      },
      'edit.paste': live(actions.paste),
      'edit.selectAll': { run: () => (isHistory ? history?.selectAll() : view.selectAll()) },
      'terminal.clear': live(() => view.clear()),
      'terminal.scrollPageUp': scroll('pageUp'),
      'terminal.scrollPageDown': scroll('pageDown'),
      'terminal.scrollToTop': scroll('top'),
      'terminal.scrollToBottom': scroll('bottom'),
      'terminal.previousCommand': command('previous'),
      'terminal.nextCommand': command('next'),
      'terminal.copyOutput': {
        isEnabled: () => view.marks.hasOutput,
        run: () => {
          const output = view.marks.lastOutput();
          if (output === null) showNotice(t('nothingToCopy'));
          else actions.copy(output);
        },
      },
      'terminal.history': live(actions.openHistory),
      'terminal.tabMovesFocus': {
        run: () => view.setTabMovesFocus(!view.ui.getState().tabMovesFocus),
      },
      'view.accessible': { run: actions.openAccessible },
    };
  }, [view, isHistory, history, find, actions, t]);
}
