import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { call } from '../engine.ts';
import { useWindow } from '../store.ts';
import { Button } from '../ui/button.tsx';
import { Field, Input } from '../ui/input.tsx';
import { describeFailure } from '../ui/toasts.tsx';
import { useClaudeCheck } from './claude-check.ts';
import { ClaudeNotice } from './claude-notice.tsx';
import { FirstSteps } from './first-steps.tsx';

/** The first start: this machine's name, Claude's state, done. Nothing else has to wait for it. */
export function Welcome() {
  const { t } = useTranslation();
  const machine = useWindow((window) => window.host?.machine ?? '');
  const [name, setName] = useState(machine);
  const [problem, setProblem] = useState<string>();
  const checked = useClaudeCheck();
  const save = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await call('settings.set', { changes: { 'machine.name': name.trim() || machine } });
    } catch (error) {
      setProblem(describeFailure(error));
    }
  };
  return (
    <div className="flex h-full items-center justify-center overflow-y-auto p-6">
      <form className="flex w-full max-w-100 flex-col gap-5" onSubmit={(event) => void save(event)}>
        <div>
          <h2 className="text-20 font-semibold">{t('welcome.title')}</h2>
          <p className="mt-1 text-dim">{t('welcome.text')}</p>
        </div>
        <Field label={t('welcome.name')} help={t('welcome.nameHelp')} problem={problem}>
          {(ids) => <Input {...ids} value={name} maxLength={64} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <div>
          <h3 className="mb-1 font-medium">{t('welcome.claude')}</h3>
          <ClaudeNotice checked={checked} />
        </div>
        <div>
          <Button type="submit" variant="primary">
            {t('welcome.done')}
          </Button>
        </div>
        <div className="flex flex-wrap items-center gap-2 border-t border-line pt-5">
          <FirstSteps />
        </div>
      </form>
    </div>
  );
}
