import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { MachineList } from '../../src-shared/machines.ts';
import { call } from '../engine.ts';
import { useWindow } from '../store.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNotice } from '../ui/error-notice.tsx';
import { Field, Input } from '../ui/input.tsx';
import { describeFailure } from '../ui/toasts.tsx';

/** Why this machine does not sync though it belongs to others, for good until the user does something: revoked, or its keys are locked. */
export function NotInSync({ list }: { list: MachineList }) {
  const { t } = useTranslation('machines');
  const hasPassphrase = useWindow((window) => window.settings['machines.keyProtection'] === 'passphrase');
  const { relay, workspace } = list;
  if (relay.state !== 'refused') return null;
  const isLocked = workspace === null;
  return (
    <div className="pb-3">
      <ErrorNotice
        title={t('out.title')}
        text={relay.why}
        action={{
          label: t('out.leave'),
          onSelect: () => useWindow.setState({ overlay: { is: 'leaveWorkspace' } }),
        }}
      >
        {isLocked && hasPassphrase && <Unlock />}
      </ErrorNotice>
    </div>
  );
}

function Unlock() {
  const { t } = useTranslation('machines');
  const form = useId();
  const [passphrase, setPassphrase] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const unlock = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await call('machines.unlock', { passphrase });
    } catch (error) {
      setProblem(describeFailure(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form id={form} onSubmit={(event) => void unlock(event)}>
      <Field label={t('out.passphrase')} problem={problem}>
        {(ids) => (
          <div className="flex gap-2">
            <Input {...ids} type="password" required value={passphrase} onChange={(event) => setPassphrase(event.target.value)} />
            <Button type="submit" variant="primary" busy={isBusy}>
              {t('out.unlock')}
            </Button>
          </div>
        )}
      </Field>
    </form>
  );
}
