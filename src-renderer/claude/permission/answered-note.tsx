import { ShieldCheck } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { PermissionDecision } from '../../../src-shared/events.ts';
import { Icon } from '../../ui/icon.tsx';

/** A request that was open here and has been settled by somebody else. */
export interface AnsweredElsewhere {
  readonly requestId: string;
  readonly toolName: string;
  readonly decision: PermissionDecision;
  /** The name of the client that answered; null: not known. */
  readonly by: string | null;
  /** Nobody answered: the turn ended. */
  readonly isMoot: boolean;
}

const shownMs = 6000;

/** Says who answered, for a moment, then goes. */
export function AnsweredNote({ answered }: { answered: AnsweredElsewhere }) {
  const { t } = useTranslation('claude');
  const [gone, setGone] = useState<string | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setGone(answered.requestId), shownMs);
    return () => clearTimeout(timer);
  }, [answered]);
  if (gone === answered.requestId) return null;
  const how = answered.isMoot ? 'moot' : answered.decision;
  const whoIs = (by: string | null) => {
    if (by === null) return t('permission.by.unknown');
    return by === 'window' ? t('permission.by.window') : t('permission.by.named', { name: by });
  };
  return (
    <p role="status" className="flex h-7 animate-appear items-center gap-2 px-1 text-dim">
      <Icon of={ShieldCheck} size={14} className="text-faint" />
      {t(`permission.elsewhere.${how}`, { tool: answered.toolName, by: whoIs(answered.by) })}
    </p>
  );
}
