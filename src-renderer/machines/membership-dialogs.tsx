import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { MachineId } from '../../src-shared/ids.ts';
import { RenameDialog } from '../dialogs/rename-dialog.tsx';
import { useSubmit } from '../dialogs/use-submit.ts';
import { call } from '../engine.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorNotice } from '../ui/error-notice.tsx';
import { machineById } from './machine-state.ts';

interface OfMachine {
  readonly machineId: MachineId;
  readonly onClose: () => void;
}

export function RenameMachine({ machineId, onClose }: OfMachine) {
  const { t } = useTranslation('machines');
  return (
    <RenameDialog
      title={t('rename.title')}
      label={t('rename.label')}
      help={t('rename.help')}
      action={t('rename.do')}
      name={machineById(machineId)?.name ?? ''}
      maxLength={64}
      isRequired
      rename={async (name) => void (await call('machines.rename', { machineId, name: name.trim() }))}
      onClose={onClose}
    />
  );
}

export function RevokeMachine({ machineId, onClose }: OfMachine) {
  const { t } = useTranslation('machines');
  const [name] = useState(() => machineById(machineId)?.name ?? '');
  const revoke = async () => void (await call('machines.revoke', { machineId }));
  return (
    <Confirm
      title={t('revoke.title', { name })}
      text={t('revoke.text')}
      more={t('revoke.keeps')}
      action={t('revoke.do')}
      act={revoke}
      onClose={onClose}
    />
  );
}

export function LeaveWorkspace({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('machines');
  const leave = async () => void (await call('workspace.leave', {}));
  return (
    <Confirm
      title={t('leave.title')}
      text={t('leave.text')}
      more={t('leave.others')}
      action={t('leave.do')}
      act={leave}
      onClose={onClose}
    />
  );
}

interface ConfirmProps {
  readonly title: string;
  readonly text: string;
  readonly more: string;
  readonly action: string;
  readonly act: () => Promise<void>;
  readonly onClose: () => void;
}

/** Says what happens before it cannot be taken back. */
function Confirm({ title, text, more, action, act, onClose }: ConfirmProps) {
  const { t } = useTranslation();
  const { isBusy, problem, handleSubmit } = useSubmit(act, onClose);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={title}
      description={text}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button variant="danger" busy={isBusy} onClick={handleSubmit}>
            {action}
          </Button>
        </>
      }
    >
      <p className="pb-1 text-dim">{more}</p>
      {problem && <ErrorNotice title={t('failed', { what: action })} text={problem} />}
    </Dialog>
  );
}
