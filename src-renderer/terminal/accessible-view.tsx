import { useLayoutEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';

/** The terminal's live lines as a text field that is only read: arrow keys, searching and screen readers work as in any text. */
export function AccessibleView({ text, onCopy, onClose }: { text: string; onCopy: (text: string) => void; onClose: () => void }) {
  const { t } = useTranslation('terminal');
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    // What happened last is at the end.
    area.setSelectionRange(text.length, text.length);
    area.scrollTop = area.scrollHeight;
  }, [text]);
  return (
    <Dialog
      open
      onOpenChange={(open) => open || onClose()}
      title={t('accessible.title')}
      description={t('accessible.text')}
      width="wide"
      initialFocus={field}
      actions={<Button onClick={() => onCopy(text)}>{t('accessible.copy')}</Button>}
    >
      <textarea
        ref={field}
        readOnly
        aria-label={t('accessible.content')}
        className="h-[50vh] w-full resize-none rounded-md border border-line bg-sunken px-3 py-2 font-mono text-13 select-text"
        value={text}
      />
    </Dialog>
  );
}
