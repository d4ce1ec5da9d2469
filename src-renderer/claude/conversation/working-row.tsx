import { useTranslation } from 'react-i18next';
import { Spinner } from '../../ui/spinner.tsx';
import { formatDuration } from '../tools/output.tsx';
import { useSeconds } from '../tools/tool-row.tsx';

/** A turn is under way and nothing else on screen moves. */
export function WorkingRow({ sinceTs }: { sinceTs: number }) {
  const { t } = useTranslation('claude');
  const ms = useSeconds(true) - sinceTs;
  return (
    <p className="flex h-6 items-center gap-2 text-dim">
      <Spinner className="size-3.5 text-working" />
      <span>{t('working')}</span>
      {ms >= 2000 && <span className="text-11 text-faint tabular-nums">{formatDuration(ms)}</span>}
    </p>
  );
}
