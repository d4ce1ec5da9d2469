import { useTranslation } from 'react-i18next';
import type { Notice, NoticeItem } from '../../../src-shared/conversation/conversation-items.ts';
import { formatTokens } from '../../status/figures.ts';
import { classes } from '../../ui/classes.ts';
import { useNow } from '../../ui/now.ts';
import { clockTime } from '../../ui/relative-time.tsx';
import { Markdown } from '../markdown/markdown.tsx';
import { useModeName } from '../mode-name.ts';
import { formatDuration, formatSize, Output } from '../tools/output.tsx';
import { FoldLine } from '../tools/tool-row.tsx';
import { useFold } from './folds.ts';

/** What happened beside the talk: a line across for what divides the conversation, a dim line for the rest. */
export function NoticeRow({ item }: { item: NoticeItem }) {
  const { notice } = item;
  switch (notice.type) {
    case 'summary':
      return <Summary foldKey={item.key} text={notice.text} />;
    case 'command-output':
      return (
        <div className="overflow-hidden rounded-md border border-line bg-sunken">
          <Output text={notice.text} />
        </div>
      );
    case 'message':
      return (
        <p className={classes('break-words selectable', notice.level === 'warning' ? 'text-danger' : 'text-dim')}>
          {notice.text}
        </p>
      );
    default:
      return <Divider notice={notice} />;
  }
}

type DividerNotice = Exclude<Notice, { type: 'summary' | 'command-output' | 'message' }>;

function Divider({ notice }: { notice: DividerNotice }) {
  const text = useDividerText(notice);
  const isBad = notice.type === 'crashed' || notice.type === 'gap';
  return (
    <p className={classes('flex items-center gap-3 text-11', isBad ? 'text-danger' : 'text-faint')}>
      <span aria-hidden className="h-px min-w-4 flex-1 bg-line" />
      <span className="min-w-0 text-center break-words selectable">{text}</span>
      <span aria-hidden className="h-px min-w-4 flex-1 bg-line" />
    </p>
  );
}

function useDividerText(notice: DividerNotice): string {
  const { t, i18n } = useTranslation('claude');
  const now = useNow();
  const nameOf = useModeName();
  switch (notice.type) {
    case 'interrupted':
      return t('notice.interrupted');
    case 'compacted':
      return notice.before === null || notice.after === null
        ? t('notice.compacted')
        : t('notice.compactedFrom', { before: formatTokens(notice.before), after: formatTokens(notice.after) });
    case 'task':
      return notice.text;
    case 'cleared':
      return t('notice.cleared');
    case 'retry':
      return t('notice.retry', {
        attempt: notice.attempt,
        of: notice.of,
        delay: formatDuration(notice.delayMs),
        reason: notice.reason,
      });
    case 'crashed':
      return t('notice.crashed', { time: clockTime(notice.lastSeenTs, now) });
    case 'exited':
      return notice.reason ?? (notice.exitCode === null ? t('notice.ended') : t('notice.exited', { code: notice.exitCode }));
    case 'started':
      return t('notice.started');
    case 'gap':
      return t('notice.gap', { size: formatSize(notice.bytes, i18n.language), reason: notice.reason });
    case 'forked':
      return t('notice.forked');
    case 'model':
      return t('notice.model', { model: notice.model ?? t('model.usual') });
    case 'mode':
      return t('notice.mode', { mode: nameOf(notice.mode) });
  }
}

function Summary({ foldKey, text }: { foldKey: string; text: string }) {
  const { t } = useTranslation('claude');
  const [isOpen, toggle] = useFold(foldKey);
  const id = `${foldKey}-summary`;
  return (
    <div>
      <FoldLine isOpen={isOpen} onToggle={toggle} controls={id}>
        <span className="flex-1 text-faint">{t('notice.summary')}</span>
      </FoldLine>
      {isOpen && (
        <div id={id} className="mt-1 ml-6 border-l border-line pl-4 text-dim">
          <Markdown text={text} isLive={false} />
        </div>
      )}
    </div>
  );
}
