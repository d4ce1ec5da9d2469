import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { deleteSessions } from '../session-actions.ts';
import { useWindow } from '../store.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorNotice } from '../ui/error-notice.tsx';
import { useSubmit } from './use-submit.ts';

/** The one thing in the window that loses something for good. */
export function DeleteSessions({ runIds, onClose }: { runIds: readonly RunId[]; onClose: () => void }) {
  const { t } = useTranslation();
  const first = useWindow((window) => (runIds[0] ? window.sessions.get(runIds[0])?.title : undefined));
  const { isBusy, problem, handleSubmit } = useSubmit(() => deleteSessions(runIds), onClose);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={runIds.length === 1 ? t('delete.title', { title: first ?? '' }) : t('delete.titleMany', { count: runIds.length })}
      description={t('delete.text')}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button variant="danger" busy={isBusy} onClick={handleSubmit}>
            {t('delete.do')}
          </Button>
        </>
      }
    >
      {problem && <ErrorNotice title={t('failed', { what: t('delete.do') })} text={problem} />}
    </Dialog>
  );
}
