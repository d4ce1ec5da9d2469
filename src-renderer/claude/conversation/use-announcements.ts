import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { Turn } from '../../../src-shared/conversation/conversation-items.ts';
import { announce } from '../../ui/announcer.tsx';

/** A screen reader is told the beginning; the rest is there to be read. */
const SAID_CHARS = 400;

/** Tells screen readers what is finished: whole blocks of Claude's, never single words as they are written. */
export function useAnnouncements(turns: readonly Turn[], isOn: boolean): void {
  const { t } = useTranslation('claude');
  const last = turns.at(-1);
  /** Until where it has been told; what is there when a conversation is opened is not told. */
  const told = useRef<{ turn: string; count: number } | null>(null);
  useEffect(() => {
    if (last === undefined) return;
    const before = told.current;
    told.current = { turn: last.key, count: last.items.length };
    if (!isOn || before === null) return;
    const fresh = before.turn === last.key ? last.items.slice(before.count) : last.items;
    for (const item of fresh) {
      if (item.kind === 'text') announce(t('announce.said', { text: item.text.slice(0, SAID_CHARS) }));
      else if (item.kind === 'error') announce(t('announce.failed', { text: item.text.slice(0, SAID_CHARS) }));
      else if (item.kind === 'end' && last.end !== null) announce(t(`announce.${last.end.outcome}`));
    }
  }, [last, isOn, t]);
}
