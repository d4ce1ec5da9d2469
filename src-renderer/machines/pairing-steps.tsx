import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { PairingState } from '../../src-shared/machines.ts';
import { call } from '../engine.ts';
import { Button } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { ErrorNotice } from '../ui/error-notice.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { describeFailure } from '../ui/toasts.tsx';
import { QrCode } from './qr-code.tsx';
import type { Pairing } from './use-pairing.ts';

type StateOf<I extends PairingState['is']> = Extract<PairingState, { is: I }>;

export interface PairingStep {
  readonly title: string;
  readonly description: string | null;
  readonly body: ReactNode;
  readonly actions: ReactNode;
}

/** What a dialog shows while a pairing goes on; null: nothing does, it shows its own form. */
export function usePairingStep(pairing: Pairing): PairingStep | null {
  const { t } = useTranslation('machines');
  const { t: frame } = useTranslation();
  const { state, close, again } = pairing;
  const cancel = <Button onClick={close}>{frame('cancel')}</Button>;
  switch (state.is) {
    case 'none':
      return null;
    case 'offering':
      return { title: t('code.title'), description: t('code.text'), body: <Code state={state} />, actions: cancel };
    case 'joining':
      return {
        title: t('enter.title'),
        description: null,
        body: <Waiting step="joining" text={t('enter.joining')} />,
        actions: cancel,
      };
    case 'compare':
      return {
        title: t('compare.title'),
        description:
          state.side === 'member'
            ? t('compare.text', { name: state.machine?.name ?? t('compare.unnamed') })
            : t('compare.textNewcomer'),
        body: <Digits state={state} />,
        actions: state.side === 'member' ? <Verdict state={state} onClose={close} /> : cancel,
      };
    case 'done':
      return {
        title: t('done.title', { name: state.machine.name }),
        description: t('done.text'),
        body: <span data-pairing-step="done" />,
        actions: (
          <Button variant="primary" onClick={close} data-pairing-step="done">
            {t('done.do')}
          </Button>
        ),
      };
    case 'failed':
      return {
        title: t('failed.title'),
        description: null,
        body: <ErrorNotice title={state.reason} text={state.hint} />,
        actions: (
          <>
            <Button onClick={close}>{frame('close')}</Button>
            <Button variant="primary" onClick={again} data-pairing-step="failed">
              {t('failed.again')}
            </Button>
          </>
        ),
      };
  }
}

function Code({ state: { code, joinText, expiresAt } }: { state: StateOf<'offering'> }) {
  const { t } = useTranslation('machines');
  const command = `baton join ${joinText}`;
  return (
    <div className="flex flex-col gap-3 py-1">
      <div className="flex flex-wrap items-start gap-4">
        <QrCode text={joinText} label={t('code.qr')} />
        <div className="min-w-56 flex-1">
          <p className="flex items-center gap-1 font-medium">
            <span className="flex-1">{t('code.label')}</span>
            <CopyButton text={joinText} label={t('code.copyCode')} />
          </p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: reading begins here when the code appears */}
          <p data-pairing-step="offering" tabIndex={0} className="font-mono text-15 leading-7 break-words selectable">
            {code.split('-').map((group, index, { length }) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: two groups can be the same
              <span key={index} className="inline-block">
                {group}
                {index < length - 1 && '-'}
              </span>
            ))}
            {joinText !== code && <span className="block text-13 text-dim">{joinText.slice(code.length)}</span>}
          </p>
        </div>
      </div>
      <div>
        <p className="flex items-center gap-1 font-medium">
          <span className="flex-1">{t('code.command')}</span>
          <CopyButton text={command} label={t('code.copyCommand')} />
        </p>
        <code className="block rounded-md bg-sunken px-2 py-1 break-all selectable">{command}</code>
      </div>
      <p className="flex items-center gap-2 text-dim">
        <Spinner />
        <span className="flex-1">{t('code.waiting')}</span>
        <TimeLeft until={expiresAt} />
      </p>
    </div>
  );
}

function TimeLeft({ until }: { until: string }) {
  const { t } = useTranslation('machines');
  const left = () => Math.max(0, Math.ceil((Date.parse(until) - Date.now()) / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    const timer = setInterval(() => setSeconds(left()), 1000);
    return () => clearInterval(timer);
  });
  const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  return (
    <span role="timer" className="text-11 text-faint tabular-nums">
      {t('code.left', { time })}
    </span>
  );
}

function Waiting({ step, text }: { step: PairingState['is']; text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: reading goes on here
    <p data-pairing-step={step} tabIndex={0} role="status" className="flex items-center gap-2 py-2 text-dim">
      <Spinner />
      {text}
    </p>
  );
}

function Digits({ state }: { state: StateOf<'compare'> }) {
  const { t } = useTranslation('machines');
  const { digits, side, rights } = state;
  return (
    <div className="py-2 text-center">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: reading begins at the digits */}
      <p data-pairing-step="compare" tabIndex={0} className="rounded-md bg-sunken py-3 selectable">
        <span className="sr-only">{t('compare.digits', { digits: [...digits].join(' ') })}</span>
        <span aria-hidden className="font-mono text-[40px] leading-12 font-medium tracking-widest tabular-nums">
          {digits.slice(0, 3)}
          <span className="inline-block w-4" />
          {digits.slice(3)}
        </span>
      </p>
      <p className="pt-2 text-dim">{t('compare.warning')}</p>
      {side === 'member' && rights !== null && <p className="text-dim">{t('compare.gets', { rights: t(`rights.${rights}`) })}</p>}
      {side === 'newcomer' && (
        <p role="status" className="flex items-center justify-center gap-2 pt-2 text-dim">
          <Spinner />
          {t('compare.waiting')}
        </p>
      )}
    </div>
  );
}

function Verdict({ state, onClose }: { state: StateOf<'compare'>; onClose: () => void }) {
  const { t } = useTranslation('machines');
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const confirm = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      await call('pairing.confirm', { digits: state.digits });
    } catch (error) {
      setProblem(describeFailure(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      {problem !== undefined && (
        <div className="w-full">
          <ErrorNotice title={t('failed.confirm')} text={problem} />
        </div>
      )}
      <Button onClick={onClose}>{t('compare.differ')}</Button>
      <Button variant="primary" busy={isBusy} onClick={() => void confirm()}>
        {t('compare.confirm')}
      </Button>
    </>
  );
}
