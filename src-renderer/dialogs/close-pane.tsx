import { useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { endSession } from '../session-actions.ts';
import { useWindow } from '../store.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Switch } from '../ui/switch.tsx';
import { showFailure } from '../ui/toasts.tsx';
import { changePreferences } from '../workspace/saved-layout.ts';
import { removePane } from '../workspace/workspace.ts';

/** A pane is being closed whose session still works. Going on in the background is what Enter does. */
export function ClosePane({ paneId, runId, onClose }: { paneId: string; runId: RunId; onClose: () => void }) {
  const { t } = useTranslation();
  const title = useWindow((window) => window.sessions.get(runId)?.title ?? '');
  const [isForGood, setForGood] = useState(false);
  const forGood = useId();
  const keep = useRef<HTMLButtonElement>(null);
  const close = (how: 'keep' | 'end') => {
    if (isForGood) changePreferences(() => ({ closingPane: how }));
    onClose();
    removePane(paneId);
    if (how === 'end') endSession(runId).catch((error: unknown) => showFailure(t('failed', { what: t('session.close') }), error));
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      initialFocus={keep}
      title={t('closePane.title', { title })}
      description={t('closePane.text')}
      actions={
        <>
          <Button variant="quiet" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button onClick={() => close('end')}>{t('closePane.end')}</Button>
          <Button ref={keep} variant="primary" onClick={() => close('keep')}>
            {t('closePane.keep')}
          </Button>
        </>
      }
    >
      <label htmlFor={forGood} className="flex items-center gap-2 py-1 text-dim">
        <Switch id={forGood} checked={isForGood} onChange={setForGood} />
        {t('closePane.forGood')}
      </label>
    </Dialog>
  );
}
