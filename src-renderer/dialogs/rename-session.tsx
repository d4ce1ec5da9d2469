import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { renameSession } from '../session-actions.ts';
import { useWindow } from '../store.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Input } from '../ui/input.tsx';
import { useSubmit } from './use-submit.ts';

export function RenameSession({ runId, onClose }: { runId: RunId; onClose: () => void }) {
  const { t } = useTranslation();
  const form = useId();
  const [title, setTitle] = useState(() => useWindow.getState().sessions.get(runId)?.title ?? '');
  const { isBusy, problem, handleSubmit } = useSubmit(() => renameSession(runId, title), onClose);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('rename.title')}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" form={form} variant="primary" busy={isBusy}>
            {t('rename.do')}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={handleSubmit}>
        <Field label={t('rename.label')} help={t('rename.help')} problem={problem}>
          {(ids) => (
            <Input
              {...ids}
              value={title}
              maxLength={256}
              onFocus={(event) => event.target.select()}
              onChange={(event) => setTitle(event.target.value)}
            />
          )}
        </Field>
      </form>
    </Dialog>
  );
}
