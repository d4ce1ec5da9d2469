import { useEffect, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { MachineId } from '../../src-shared/ids.ts';
import { PermissionMode } from '../../src-shared/session.ts';
import { call } from '../engine.ts';
import { atMachine } from '../machines/at-machine.ts';
import { currentFolder, startClaude } from '../session-actions.ts';
import { useClaudeCheck } from '../start/claude-check.ts';
import { ClaudeNotice } from '../start/claude-notice.tsx';
import { useWindow } from '../store.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/input.tsx';
import { type Option, Select } from '../ui/select.tsx';
import { FolderField } from './folder-field.tsx';
import { elsewhere, MachineField } from './machine-field.tsx';
import { useSubmit } from './use-submit.ts';

/** Starts as the last one was started, in the folder one is in. */
export function NewClaude({ machineId: first, onClose }: { machineId: MachineId | null; onClose: () => void }) {
  const { t } = useTranslation();
  const form = useId();
  const [machineId, setMachine] = useState(() => elsewhere(first));
  const [choice, setChoice] = useState(() => firstChoice(machineId));
  const models = useModels(machineId);
  const checked = useClaudeCheck(machineId);
  const start = () => startClaude({ ...choice, cwd: choice.cwd.trim() }, machineId);
  const { isBusy, problem, handleSubmit } = useSubmit(start, onClose);
  const chooseMachine = (chosen: MachineId | null) => {
    setMachine(chosen);
    setChoice({ ...choice, model: '', cwd: firstChoice(chosen).cwd });
  };
  const modes: Option<PermissionMode>[] = PermissionMode.options.map((mode) => ({
    value: mode,
    label: t(`mode.${mode}`),
    description: t(`modeText.${mode}`),
  }));
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('newClaude.title')}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" form={form} variant="primary" busy={isBusy}>
            {t('newClaude.do')}
          </Button>
        </>
      }
    >
      <ClaudeNotice checked={checked} machineId={machineId} isQuiet onLeave={onClose} />
      <form id={form} onSubmit={handleSubmit}>
        <MachineField value={machineId} onChange={chooseMachine} />
        <FolderField
          value={choice.cwd}
          machineId={machineId}
          onChange={(cwd) => setChoice({ ...choice, cwd })}
          problem={problem}
        />
        <div className="grid gap-x-4 sm:grid-cols-2">
          <Field label={t('newClaude.model')}>
            {({ id }) => (
              <Select id={id} value={choice.model} options={models} onChange={(model) => setChoice({ ...choice, model })} />
            )}
          </Field>
          <Field label={t('newClaude.mode')}>
            {({ id }) => (
              <Select
                id={id}
                value={choice.permissionMode}
                options={modes}
                onChange={(permissionMode) => setChoice({ ...choice, permissionMode })}
              />
            )}
          </Field>
        </div>
        {choice.permissionMode === 'bypassPermissions' && <p className="text-danger">{t('newClaude.bypassWarning')}</p>}
      </form>
    </Dialog>
  );
}

function firstChoice(machineId: MachineId | null) {
  const { settings, preferences } = useWindow.getState();
  const folder = currentFolder(machineId);
  return {
    cwd: folder === '~' && machineId === null ? preferences.newClaude.cwd || folder : folder,
    model: preferences.newClaude.model || settings['claude.model'],
    permissionMode: preferences.newClaude.cwd === '' ? settings['claude.permissionMode'] : preferences.newClaude.permissionMode,
  };
}

/** Claude's own default first; a list that cannot be had leaves it at that, since a session can start without it. */
function useModels(machineId: MachineId | null): readonly Option<string>[] {
  const { t } = useTranslation();
  const [models, setModels] = useState<readonly Option<string>[]>([]);
  useEffect(() => {
    let isCurrent = true;
    setModels([]);
    call('claude.models', atMachine(machineId)).then(
      ({ models: known }) => {
        if (isCurrent)
          setModels(known.map(({ value, displayName, description }) => ({ value, label: displayName, description })));
      },
      (error: unknown) => console.warn('the list of models could not be had', error),
    );
    return () => {
      isCurrent = false;
    };
  }, [machineId]);
  return [{ value: '', label: t('newClaude.defaultModel') }, ...models.filter((model) => model.value !== '')];
}
