import { useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { call } from '../engine.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Switch } from '../ui/switch.tsx';
import { showFailure } from '../ui/toasts.tsx';
import type { PastePlan } from './paste.ts';

/** Shown of a text that is longer; all of it is pasted. */
const SHOWN_CHARACTERS = 4000;

/** Several lines would run one after the other: shows them before they do. */
export function PasteDialog({
  plan,
  onPaste,
  onCancel,
}: {
  plan: Extract<PastePlan, { is: 'confirm' }>;
  onPaste: (data: string) => void;
  onCancel: () => void;
}) {
  const { t } = useTranslation('terminal');
  const [isLast, setLast] = useState(false);
  const id = useId();
  const confirm = useRef<HTMLButtonElement>(null);
  const paste = () => {
    if (isLast) {
      call('settings.set', { changes: { 'terminal.warnOnMultiLinePaste': false } }).catch((error: unknown) =>
        showFailure(t('clipboard.alwaysFailed'), error),
      );
    }
    onPaste(plan.data);
  };
  const shown = plan.text.length > SHOWN_CHARACTERS ? `${plan.text.slice(0, SHOWN_CHARACTERS)}…` : plan.text;
  return (
    <Dialog
      open
      onOpenChange={(open) => open || onCancel()}
      title={t('paste.title', { count: plan.lines })}
      description={t('paste.text')}
      width="wide"
      initialFocus={confirm}
      actions={
        <>
          <span className="mr-auto flex items-center gap-2">
            <Switch id={id} checked={isLast} onChange={setLast} />
            <label htmlFor={id} className="text-dim">
              {t('paste.dontAsk')}
            </label>
          </span>
          <Button onClick={onCancel}>{t('paste.cancel')}</Button>
          <Button ref={confirm} variant="primary" onClick={paste}>
            {t('paste.confirm')}
          </Button>
        </>
      }
    >
      <section
        aria-label={t('paste.content')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reachable by the keyboard
        tabIndex={0}
        className="max-h-[40vh] overflow-auto rounded-md border border-line bg-sunken px-3 py-2"
      >
        <pre className="selectable whitespace-pre-wrap break-all">{shown}</pre>
      </section>
    </Dialog>
  );
}
