import { GitFork, RotateCcw } from 'lucide-react';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Turn } from '../../../src-shared/conversation/conversation-items.ts';
import { answerMarkdown } from '../../../src-shared/conversation/conversation-markdown.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { formatDuration } from '../tools/output.tsx';

export interface EndActions {
  readonly onForkAfter: ((turn: Turn) => void) | null;
  /** Sends the turn's prompt again; null where that makes no sense now. */
  readonly onRetry: ((turn: Turn) => void) | null;
}

/** How a turn ended: quietly when it is done, in words when it is not. */
export const EndRow = memo(function EndRow({ turn, onForkAfter, onRetry }: { turn: Turn } & EndActions) {
  const { t } = useTranslation('claude');
  const { end, result } = turn;
  if (end === null) return null;
  const facts = [
    end.outcome === 'interrupted' ? t('end.interrupted') : '',
    result !== null && result.durationMs > 0 ? formatDuration(result.durationMs) : '',
  ].filter((fact) => fact !== '');
  const hasSaidWhy = turn.items.some((item) => item.kind === 'error');
  return (
    <div className="space-y-1">
      {end.outcome === 'failed' && (
        <div className="flex flex-wrap items-center gap-2">
          {!hasSaidWhy && (
            <p className="min-w-0 text-danger break-words selectable">
              {end.message === null ? t('end.failed') : t('end.failedBecause', { message: end.message })}
            </p>
          )}
          {onRetry !== null && turn.prompt?.text != null && (
            <Button size="sm" icon={RotateCcw} onClick={() => onRetry(turn)}>
              {t('end.retry')}
            </Button>
          )}
        </div>
      )}
      <div className="flex h-6 items-center gap-1 text-faint">
        <CopyButton text={() => answerMarkdown(turn.items)} label={t('end.copy')} className="-ml-1 text-faint" />
        {onForkAfter !== null && (
          <IconButton icon={GitFork} label={t('end.fork')} onClick={() => onForkAfter(turn)} className="text-faint" />
        )}
        <span className="px-1 text-11 tabular-nums">{facts.join(' · ')}</span>
      </div>
    </div>
  );
});
