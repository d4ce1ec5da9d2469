import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { type RunId, Seq } from '../../src-shared/ids.ts';
import { call } from '../engine.ts';
import { sessionOf } from '../session-actions.ts';
import { showFailure, showNotice } from '../ui/toasts.tsx';
import type { ConversationActions } from './conversation-context.ts';

/** What rows may ask for, carried out by the desktop shell and the engine. */
export function useActions(runId: RunId, cwd: string): ConversationActions {
  const { t } = useTranslation('claude');
  return useMemo(
    () => ({
      cwd,
      openLink: (url) => {
        call('shell.openLink', { url }).catch((error: unknown) => showFailure(t('link.failed', { url }), error));
      },
      openPath: (path, line) => {
        const session = sessionOf(runId);
        if (session?.remote) {
          showNotice(t('link.elsewhere', { path, name: session.machine }));
          return;
        }
        const whole = isAbsolute(path) ? path : `${cwd.replace(/[\\/]$/, '')}/${path}`;
        const opening = call('shell.openPath', { path: whole, line: line ?? null });
        opening.catch((error: unknown) => showFailure(t('link.failed', { url: path }), error));
      },
      readEvent: async (seq) => {
        const { events } = await call('history.read', { runId, after: Seq.parse(seq - 1), limit: 1 });
        return events[0]?.payload ?? null;
      },
    }),
    [runId, cwd, t],
  );
}

function isAbsolute(path: string): boolean {
  return path.startsWith('/') || path.startsWith('\\\\') || /^[a-z]:[\\/]/i.test(path);
}
