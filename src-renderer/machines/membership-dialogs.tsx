import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { MachineId } from '../../src-shared/ids.ts';
import { useSubmit } from '../dialogs/use-submit.ts';
import { call } from '../engine.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorNotice } from '../ui/error-notice.tsx';
import { Field, Input } from '../ui/input.tsx';
import { machineById } from './machine-state.ts';

interface OfMachine {
  readonly machineId: MachineId;
  readonly onClose: () => void;
}

export function RenameMachine({ machineId, onClose }: OfMachine) {
  const { t } = useTranslation('machines');
  const { t: frame } = useTranslation();
  const form = useId();
  const [name, setName] = useState(() => machineById(machineId)?.name ?? '');
  const rename = async () => void (await call('machines.rename', { machineId, name: name.trim() }));
  const { isBusy, problem, handleSubmit } = useSubmit(rename, onClose);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('rename.title')}
      actions={
        <>
          <Button onClick={onClose}>{frame('cancel')}</Button>
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
              value={name}
              required
              maxLength={64}
              onFocus={(event) => event.target.select()}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
      </form>
    </Dialog>
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
