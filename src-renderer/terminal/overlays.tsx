import { useTranslation } from 'react-i18next';
import type { SessionSummary } from '../../src-shared/session.ts';
import { call } from '../engine.ts';
import { useMachines } from '../machines/machine-state.ts';
import { viewerName } from '../machines/viewer-name.ts';
import { Button } from '../ui/button.tsx';
import { isMac } from '../ui/kbd.tsx';
import { showFailure } from '../ui/toasts.tsx';
import type { TerminalUi } from './terminal-view.ts';

/** Quiet words over the terminal's corner. */
export function SizeNote({ driver, session }: { driver: string; session: SessionSummary | null }) {
  const { t } = useTranslation('terminal');
  const machines = useMachines();
  const name = driver === 'window' && !session?.remote ? t('anotherWindow') : viewerName(driver, session, machines);
  return (
    <p
      role="status"
      className="pointer-events-none absolute right-4 bottom-2 rounded-md border border-line bg-raised px-2 py-0.5 font-sans text-11 text-dim"
    >
      {t('sizedBy', { name })}
    </p>
  );
}

/** What is typed goes nowhere: said once, for as long as it is so. */
export function UnheardNote({ text }: { text: string }) {
  return (
    <p
      role="status"
      className="pointer-events-none absolute bottom-2 left-4 z-10 max-w-[calc(100%-32px)] rounded-md border border-line bg-raised px-2 py-0.5 font-sans text-11 text-dim"
    >
      {text}
    </p>
  );
}

/** Where a link leads, whole, before one follows it. */
export function LinkHint({ hovered, bounds }: { hovered: NonNullable<TerminalUi['hovered']>; bounds: DOMRect }) {
  const { t } = useTranslation('terminal');
  const { target } = hovered;
  const where = target.is === 'web' ? target.address : t('link.file', { path: target.path, line: target.line });
  // Above the pointer, or below it where there is no room.
  const isBelow = hovered.y - bounds.top < 56;
  const top = hovered.y - bounds.top + (isBelow ? 18 : -10);
  const left = Math.min(Math.max(4, hovered.x - bounds.left - 20), Math.max(4, bounds.width - 200));
  return (
    <div
      role="tooltip"
      className="pointer-events-none absolute z-20 max-w-[min(520px,calc(100%-8px))] rounded-md border border-line bg-raised px-2 py-1 font-sans text-11 text-text shadow-float"
      style={{ left, top, transform: isBelow ? undefined : 'translateY(-100%)', maxWidth: bounds.width - left - 4 }}
    >
      <p className="break-all">{where}</p>
      <p className="text-faint">{isMac ? t('link.openMac') : t('link.open', { key: 'Ctrl' })}</p>
    </div>
  );
}

/** OSC 9;4, as a thin line at the top. */
export function ProgressLine({ progress }: Pick<TerminalUi, 'progress'>) {
  const { t } = useTranslation('terminal');
  const { state, value } = progress;
  if (state === 0) return null;
  const isUnknown = state === 3;
  const colour = state === 2 ? 'bg-danger' : state === 4 ? 'bg-accent' : 'bg-working';
  return (
    <div
      role="progressbar"
      aria-label={t('progress')}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(isUnknown ? {} : { 'aria-valuenow': value })}
      className="absolute inset-x-0 top-0 z-10 h-0.5 overflow-hidden"
    >
      <div
        className={`h-full ${colour} ${isUnknown ? 'terminal-progress-unknown' : 'transition-[width] duration-180 ease-out'}`}
        style={isUnknown ? {} : { width: `${value}%` }}
      />
    </div>
  );
}

/** OSC 52: a program wants to write to the clipboard. */
export function ClipboardAsk({
  text,
  onCopy,
  onDismiss,
}: {
  text: string;
  onCopy: (text: string) => void;
  onDismiss: () => void;
}) {
  const { t } = useTranslation('terminal');
  const answer = (isAlways: boolean) => {
    onDismiss();
    onCopy(text);
    if (!isAlways) return;
    call('settings.set', { changes: { 'terminal.clipboardWrite': 'allow' } }).catch((error: unknown) =>
      showFailure(t('clipboard.alwaysFailed'), error),
    );
  };
  return (
    <div
      role="alertdialog"
      aria-label={t('clipboard.ask', { count: text.length })}
      className="absolute inset-x-3 bottom-3 z-20 flex flex-wrap items-center gap-2 rounded-md border border-line bg-raised px-3 py-2 font-sans text-13 text-text shadow-float"
    >
      <p className="min-w-0 flex-1 basis-60">
        {t('clipboard.ask', { count: text.length })}
        <code className="block truncate text-dim">{text.slice(0, 200)}</code>
      </p>
      <Button size="sm" onClick={onDismiss}>
        {t('clipboard.deny')}
      </Button>
      <Button size="sm" onClick={() => answer(true)}>
        {t('clipboard.always')}
      </Button>
      <Button size="sm" variant="primary" onClick={() => answer(false)}>
        {t('clipboard.allow')}
      </Button>
    </div>
  );
}
