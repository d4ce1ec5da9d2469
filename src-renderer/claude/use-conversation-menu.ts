import { Copy, GitFork, UnfoldVertical } from 'lucide-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { EMPTY_CONVERSATION, foldEvents } from '../../src-shared/conversation/conversation.ts';
import { CONVERSATION_CHANNELS } from '../../src-shared/conversation/conversation-facts.ts';
import { conversationMarkdown } from '../../src-shared/conversation/conversation-markdown.ts';
import { NO_SEQ, type RunId, type Seq } from '../../src-shared/ids.ts';
import { writeClipboard } from '../clipboard.ts';
import { call } from '../engine.ts';
import { useKeyLabel } from '../navigation/keymap.ts';
import { forkSession } from '../session-actions.ts';
import type { MenuItem } from '../ui/menu.tsx';
import { showFailure, showNotice } from '../ui/toasts.tsx';
import { type Folds, useIsVerbose } from './conversation/folds.ts';

const PAGE_EVENTS = 2000;

/** What can be done with the conversation as a whole. */
export function useConversationMenu(runId: RunId, folds: Folds): readonly MenuItem[] {
  const { t } = useTranslation('claude');
  const { t: frame } = useTranslation();
  const isVerbose = useIsVerbose(folds);
  const unfoldKey = useKeyLabel('claude.unfoldAll');
  return useMemo(() => {
    const copyAll = async () => {
      try {
        await writeClipboard(await wholeConversation(runId));
        showNotice(frame('copied'));
      } catch (error) {
        showFailure(frame('failed', { what: t('menu.copy') }), error);
      }
    };
    const fork = () => {
      forkSession(runId).catch((error: unknown) => showFailure(t('fork.failed'), error));
    };
    return [
      { label: t('menu.copy'), icon: Copy, onSelect: () => void copyAll() },
      { label: t('menu.fork'), icon: GitFork, onSelect: fork },
      {
        label: isVerbose ? t('menu.fold') : t('menu.unfold'),
        icon: UnfoldVertical,
        shortcut: unfoldKey,
        onSelect: () => folds.setVerbose(!folds.isVerbose),
      },
    ];
  }, [runId, folds, isVerbose, unfoldKey, t, frame]);
}

/** From its first event, however little of it is on screen. */
async function wholeConversation(runId: RunId): Promise<string> {
  let view = EMPTY_CONVERSATION;
  let after: Seq = NO_SEQ;
  for (;;) {
    const page = await call('history.read', { runId, after, limit: PAGE_EVENTS, channels: [...CONVERSATION_CHANNELS] });
    view = foldEvents(view, page.events);
    const last = page.events.at(-1);
    if (!page.more || last === undefined) return conversationMarkdown(view.turns);
    after = last.seq;
  }
}
