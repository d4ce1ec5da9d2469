import { type FormEvent, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { runCommand } from '../commands.ts';
import { afterClose } from '../ui/after-close.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Input } from '../ui/input.tsx';
import { describeFailure } from '../ui/toasts.tsx';
import { usePairingStep } from './pairing-steps.tsx';
import { join, type Pairing, usePairing } from './use-pairing.ts';

/** This machine enters the code that another one shows. */
export default function JoinMachine({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('machines');
  const pairing = usePairing(onClose);
  const step = usePairingStep(pairing);
  const field = useRef<HTMLInputElement>(null);
  const form = useJoinForm(pairing, field);
  const view = step ?? { title: t('enter.title'), description: t('enter.text'), body: form.body, actions: form.actions };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && pairing.close()}
      initialFocus={field}
      title={view.title}
      {...(view.description === null ? {} : { description: view.description })}
      actions={view.actions}
    >
      {view.body}
    </Dialog>
  );
}

function useJoinForm(pairing: Pairing, field: React.RefObject<HTMLInputElement | null>) {
  const { t } = useTranslation('machines');
  const { t: frame } = useTranslation();
  const form = useId();
  const [code, setCode] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const submit = async () => {
    setProblem(undefined);
    setBusy(true);
    try {
      await pairing.start(() => join(code));
    } catch (error) {
      setProblem(describeFailure(error));
    } finally {
      setBusy(false);
    }
  };
  const handleSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (code.trim() !== '') void submit();
  };
  const body = (
    <form id={form} onSubmit={handleSubmit}>
      <Field label={t('enter.code')} help={t('enter.codeHelp')} problem={problem}>
        {(ids) => (
          <Input
            {...ids}
            ref={field}
            value={code}
            required
            autoCapitalize="characters"
            onChange={(event) => setCode(event.target.value)}
            className="font-mono"
          />
        )}
      </Field>
    </form>
  );
  const actions = (
    <>
      <Button
        variant="quiet"
        className="mr-auto -ml-3"
        onClick={() => {
          pairing.close();
          afterClose(() => runCommand('machines.add'));
        }}
      >
        {t('enter.showCode')}
      </Button>
      <Button onClick={pairing.close}>{frame('cancel')}</Button>
      <Button type="submit" form={form} variant="primary" busy={isBusy}>
        {t('enter.do')}
      </Button>
    </>
  );
  return { body, actions };
}
