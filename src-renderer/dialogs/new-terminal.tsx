import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { MachineId } from '../../src-shared/ids.ts';
import { withRecent } from '../preferences.ts';
import { currentFolder, startTerminal } from '../session-actions.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Input } from '../ui/input.tsx';
import { changePreferences } from '../workspace/saved-layout.ts';
import { FolderField } from './folder-field.tsx';
import { elsewhere, MachineField } from './machine-field.tsx';
import { useSubmit } from './use-submit.ts';
import { splitWords } from './words.ts';

/** A terminal that runs something else than the usual shell, or elsewhere. */
export function NewTerminal({ machineId: first, onClose }: { machineId: MachineId | null; onClose: () => void }) {
  const { t } = useTranslation();
  const form = useId();
  const [line, setLine] = useState('');
  const [machineId, setMachine] = useState(() => elsewhere(first));
  const [cwd, setCwd] = useState(() => currentFolder(machineId));
  const chooseMachine = (chosen: MachineId | null) => {
    setMachine(chosen);
    setCwd(currentFolder(chosen));
  };
  const start = async () => {
    const [command = null, ...args] = splitWords(line);
    await startTerminal({ command, args, cwd: cwd.trim(), machineId });
    if (machineId !== null) return;
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
        <MachineField value={machineId} onChange={chooseMachine} />
        <FolderField value={cwd} machineId={machineId} onChange={setCwd} problem={problem} />
      </form>
    </Dialog>
  );
}
