import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { withRecent } from '../preferences.ts';
import { currentFolder, startTerminal } from '../session-actions.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Input } from '../ui/input.tsx';
import { changePreferences } from '../workspace/saved-layout.ts';
import { FolderField } from './folder-field.tsx';
import { useSubmit } from './use-submit.ts';
import { splitWords } from './words.ts';

/** A terminal that runs something else than the usual shell, or elsewhere. */
export function NewTerminal({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const form = useId();
  const [line, setLine] = useState('');
  const [cwd, setCwd] = useState(currentFolder);
  const start = async () => {
    const [command = null, ...args] = splitWords(line);
    await startTerminal({ command, args, cwd: cwd.trim() });
    changePreferences(({ recentFolders }) => ({ recentFolders: withRecent(recentFolders, cwd.trim()) }));
  };
  const { isBusy, problem, handleSubmit } = useSubmit(start, onClose);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('newTerminal.title')}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" form={form} variant="primary" busy={isBusy}>
            {t('newTerminal.do')}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={handleSubmit}>
        <Field label={t('newTerminal.command')} help={t('newTerminal.commandHelp')}>
          {(ids) => (
            <Input
              {...ids}
              value={line}
              placeholder={t('newTerminal.shell')}
              onChange={(event) => setLine(event.target.value)}
              className="font-mono"
            />
          )}
        </Field>
        <FolderField value={cwd} onChange={setCwd} problem={problem} />
      </form>
    </Dialog>
  );
}
