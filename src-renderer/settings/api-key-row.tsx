import { type FormEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ResultOf } from '../../src-shared/operations.ts';
import { call } from '../engine.ts';
import { Button } from '../ui/button.tsx';
import { Input } from '../ui/input.tsx';
import { Switch } from '../ui/switch.tsx';
import { describeFailure } from '../ui/toasts.tsx';
import { Row } from './row.tsx';

type Kept = ResultOf<'claude.apiKey'>;
const words = { none: 'none', 'key-ring': 'keyRing', plain: 'plain', unreadable: 'unreadable' } as const;

/** The key goes one way: it can be given and forgotten, never read back. */
export function ApiKeyRow() {
  const { t } = useTranslation('settings');
  const [kept, setKept] = useState<Kept | null>(null);
  const [typed, setTyped] = useState('');
  const [allowPlain, setAllowPlain] = useState(false);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    call('claude.apiKey', {}).then(setKept, (error: unknown) => setProblem(describeFailure(error)));
  }, []);
  const change = async (apiKey: string | null) => {
    try {
      const { stored } = await call('claude.setApiKey', { apiKey, allowPlain });
      setKept((before) => ({ stored, hasKeyRing: before?.hasKeyRing ?? stored === 'key-ring' }));
      setTyped('');
      setProblem(undefined);
    } catch (error) {
      setProblem(describeFailure(error));
    }
  };
  const handleSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (typed.trim() !== '') void change(typed.trim());
  };
  const needsConsent = kept !== null && !kept.hasKeyRing && typed !== '';
  return (
    <div className="border-t border-line">
      <Row label={t('claude.apiKey.label')} help={t('claude.apiKey.help')} problem={problem} isWide>
        {(ids) => (
          <form onSubmit={handleSubmit} className="flex flex-col gap-2">
            <div className="flex flex-wrap items-center gap-2">
              <Input
                {...ids}
                type="password"
                className="max-w-80 flex-1 font-mono"
                placeholder={t('claude.apiKey.new')}
                value={typed}
                onChange={(event) => setTyped(event.target.value)}
              />
              <Button type="submit" disabled={typed.trim() === '' || (needsConsent && !allowPlain)}>
                {t('claude.apiKey.set')}
              </Button>
              {kept !== null && kept.stored !== 'none' && (
                <Button variant="quiet" onClick={() => void change(null)}>
                  {t('claude.apiKey.clear')}
                </Button>
              )}
            </div>
            {needsConsent && (
              <div className="flex items-start gap-2 text-11 text-dim">
                <Switch checked={allowPlain} onChange={setAllowPlain} label={t('claude.apiKey.plainAllow')} />
                <span>{t('claude.apiKey.plainWarning')}</span>
              </div>
            )}
            {kept !== null && <p className="text-11 text-dim">{t(`claude.apiKey.${words[kept.stored]}`)}</p>}
          </form>
        )}
      </Row>
    </div>
  );
}
