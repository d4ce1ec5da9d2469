import { GitFork } from 'lucide-react';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Turn } from '../../../src-shared/conversation/conversation-items.ts';
import { IconButton } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { useFold } from './folds.ts';
import { Images } from './images.tsx';

/** A prompt that is longer than this is folded. */
const FOLDED_LINES = 16;
const FOLDED_CHARS = 2400;

/** What the user said: a tinted block at the right. */
export const PromptRow = memo(function PromptRow({ turn, onFork }: { turn: Turn; onFork: ((turn: Turn) => void) | null }) {
  const { t } = useTranslation('claude');
  const [isOpen, toggle] = useFold(`prompt ${turn.key}`);
  const { prompt } = turn;
  if (prompt === null) return null;
  const text = prompt.text ?? '';
  const isLong = text.length > FOLDED_CHARS || text.split('\n').length > FOLDED_LINES;
  return (
    <article aria-label={t('prompt.label')} className="group/prompt flex flex-row-reverse items-end gap-1">
      <div className="max-w-[76ch] min-w-0 space-y-2 rounded-md bg-user-turn px-3 py-2">
        {prompt.images.length > 0 && <Images images={prompt.images} />}
        {text !== '' && (
          <p
            className={
              isLong && !isOpen
                ? 'line-clamp-10 break-words whitespace-pre-wrap selectable'
                : 'break-words whitespace-pre-wrap selectable'
            }
          >
            {text}
          </p>
        )}
        {isLong && (
          <button type="button" aria-expanded={isOpen} onClick={toggle} className="text-11 text-dim hover:text-text">
            {isOpen ? t('prompt.less') : t('prompt.more')}
          </button>
        )}
      </div>
      <div className="flex h-9 shrink-0 items-center opacity-0 transition-opacity duration-120 group-focus-within/prompt:opacity-100 group-hover/prompt:opacity-100">
        <RelativeTime at={turn.ts} className="px-1 text-11 text-faint" />
        <CopyButton text={() => text} label={t('prompt.copy')} />
        {onFork !== null && <IconButton icon={GitFork} label={t('prompt.fork')} onClick={() => onFork(turn)} />}
      </div>
    </article>
  );
});
