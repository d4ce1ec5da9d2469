import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type LogEvent, readEvent } from '../../../src-shared/events.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import { thisClient } from '../../engine.ts';
import type { Attachment } from '../../pane-contract.ts';
import { announce } from '../../ui/announcer.tsx';
import { showFailure } from '../../ui/toasts.tsx';
import type { AnsweredElsewhere } from './answered-note.tsx';
import type { PermissionAnswer } from './permission-card.tsx';
import type { PendingPermission } from './permission-cards.tsx';

const nothing: readonly PendingPermission[] = [];

export interface Permissions {
  readonly pending: readonly PendingPermission[];
  readonly answered: AnsweredElsewhere | null;
  readonly answer: (requestId: string, answer: PermissionAnswer) => Promise<void>;
  /** To be told of every event. */
  readonly watch: (events: readonly LogEvent[]) => void;
}

/** The open requests of a session, how to answer them, and who else did. */
export function usePermissions(attachment: Attachment, isOn: boolean): Permissions {
  const { t } = useTranslation('claude');
  const pending = attachment.state?.permissions ?? nothing;
  const [answered, setAnswered] = useState<(Omit<AnsweredElsewhere, 'by'> & { readonly clientId: string | null }) | null>(null);
  const newest = useRef(pending);
  useEffect(() => {
    newest.current = pending;
  });
  const { send, viewers } = attachment;
  /** Everybody who has been there: who answers may be gone when the answer is read. */
  const names = useRef(new Map<string, string>());
  useEffect(() => {
    for (const { clientId, name } of viewers) names.current.set(clientId, name);
  }, [viewers]);

  const answer = useCallback(
    async (requestId: string, { decision, reason, updatedInput }: PermissionAnswer) => {
      try {
        await send({ kind: 'permission', requestId, decision, reason, ...(updatedInput === undefined ? {} : { updatedInput }) });
      } catch (error) {
        // Somebody was faster: the card goes by itself and says so.
        if (error instanceof RefusalError && error.refusal.code === 'already-answered') return;
        showFailure(t('permission.failed'), error);
      }
    },
    [send, t],
  );

  const watch = useCallback((events: readonly LogEvent[]) => {
    for (const event of events) {
      if (event.channel !== 'run:permission') continue;
      const known = readEvent(event);
      if (known?.channel !== 'run:permission' || known.type !== 'answered') continue;
      const { requestId, decision, clientId, inputId } = known.payload;
      const open = newest.current.find((each) => each.asked.requestId === requestId);
      if (open !== undefined && clientId !== thisClient())
        setAnswered({
          requestId,
          toolName: open.asked.toolName,
          decision,
          clientId,
          isMoot: inputId === null,
        });
    }
  }, []);

  const newestId = pending.at(-1)?.asked.requestId;
  useEffect(() => {
    const request = newest.current.find((each) => each.asked.requestId === newestId);
    if (request !== undefined && isOn) announce(t('announce.permission', { tool: request.asked.toolName }));
  }, [newestId, isOn, t]);

  const told = useMemo(() => {
    if (answered === null) return null;
    const { clientId, ...rest } = answered;
    const present = viewers.find((viewer) => viewer.clientId === clientId)?.name;
    return { ...rest, by: present ?? names.current.get(clientId ?? '') ?? null };
  }, [answered, viewers]);
  return { pending, answered: told, answer, watch };
}
