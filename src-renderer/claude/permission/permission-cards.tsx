import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { SessionState } from '../../../src-shared/session.ts';
import { IconButton } from '../../ui/button.tsx';
import { type AnsweredElsewhere, AnsweredNote } from './answered-note.tsx';
import { type PermissionAnswer, PermissionCard } from './permission-card.tsx';

export type PendingPermission = SessionState['permissions'][number];

export interface PermissionCardsProps {
  readonly pending: readonly PendingPermission[];
  /** The request that the keys 1, 2 and 3 answer. */
  readonly shown: PendingPermission | null;
  readonly onShow: (requestId: string) => void;
  readonly onAnswer: (requestId: string, answer: PermissionAnswer) => Promise<void>;
  /** Why nothing can be answered now; null: it can. */
  readonly obstacle: string | null;
  readonly answered: AnsweredElsewhere | null;
}

/** What Claude may not do without the user: above the composer, never lost in the scroll. */
export function PermissionCards({ pending, shown, onShow, onAnswer, obstacle, answered }: PermissionCardsProps) {
  const { t } = useTranslation('claude');
  if (shown === null) return answered === null ? null : <AnsweredNote answered={answered} />;
  const at = pending.findIndex((each) => each.asked.requestId === shown.asked.requestId);
  const step = (by: 1 | -1) => {
    const next = pending[(at + by + pending.length) % pending.length];
    if (next !== undefined) onShow(next.asked.requestId);
  };
  const count =
    pending.length < 2 ? null : (
      <span className="flex items-center text-11 text-dim tabular-nums">
        <IconButton icon={ChevronLeft} label={t('permission.previous')} onClick={() => step(-1)} />
        {t('permission.count', { at: at + 1, count: pending.length })}
        <IconButton icon={ChevronRight} label={t('permission.next')} onClick={() => step(1)} />
      </span>
    );
  return <PermissionCard key={shown.asked.requestId} asked={shown.asked} count={count} obstacle={obstacle} onAnswer={onAnswer} />;
}

/** Which of the open requests is shown: the oldest, or the one that was stepped to while it is open. */
export function useShownPermission(
  pending: readonly PendingPermission[],
): [shown: PendingPermission | null, onShow: (requestId: string) => void] {
  const [chosen, setChosen] = useState<string | null>(null);
  const shown = pending.find((each) => each.asked.requestId === chosen) ?? pending[0] ?? null;
  return [shown, setChosen];
}
