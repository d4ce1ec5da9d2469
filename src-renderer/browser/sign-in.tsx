import { Copy } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { SignInState } from '../store.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { Field, Input } from '../ui/input.tsx';
import { TooltipProvider } from '../ui/tooltip.tsx';
import { codeIn } from './credentials.ts';
import { signIn } from './start-browser.ts';

/** What a browser shows that is not let in: why, and how it is. */
export function SignIn({ state }: { state: SignInState }) {
  const { t } = useTranslation('browser');
  const [pasted, setPasted] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const code = codeIn(pasted);
    setProblem(code === null ? t('signIn.notACode') : undefined);
    if (code === null) return;
    setBusy(true);
    await signIn(code);
    setBusy(false);
  };
  return (
    <TooltipProvider>
      <main className="flex h-full items-center justify-center overflow-y-auto p-6">
        <div className="flex w-full max-w-100 flex-col gap-5">
          <div>
            <h1 className="text-20 font-semibold">{t('signIn.title')}</h1>
            <p role={state.is === 'needed' ? undefined : 'alert'} className="mt-1 text-dim selectable">
              {state.is === 'ended' || state.is === 'unreachable'
                ? t(`signIn.${state.is}`, { reason: state.reason })
                : t(`signIn.${state.is}`)}
            </p>
          </div>
          <div>
            <p>{t('signIn.how')}</p>
            <div className="my-2 flex items-center gap-2 rounded-md border border-line bg-sunken py-1.5 pr-1.5 pl-3">
              <code className="min-w-0 flex-1 selectable">{t('signIn.command')}</code>
              <IconButton
                icon={Copy}
                label={t('signIn.copy')}
                onClick={() => void navigator.clipboard.writeText(t('signIn.command'))}
              />
            </div>
            <p className="text-dim">{t('signIn.howText')}</p>
          </div>
          <form className="border-t border-line pt-4" onSubmit={(event) => void submit(event)}>
            <Field label={t('signIn.code')} problem={problem}>
              {(ids) => (
                <div className="flex gap-2">
                  <Input
                    {...ids}
                    value={pasted}
                    autoComplete="off"
                    spellCheck={false}
                    onChange={(event) => setPasted(event.target.value)}
                    className="min-w-0 flex-1 font-mono"
                  />
                  <Button type="submit" variant="primary" busy={isBusy}>
                    {t('signIn.do')}
                  </Button>
                </div>
              )}
            </Field>
          </form>
        </div>
      </main>
    </TooltipProvider>
  );
}
