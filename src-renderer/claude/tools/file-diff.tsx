import { ExternalLink } from 'lucide-react';
import { memo, useMemo, useState } from 'react';
import { Decoration, Diff, Hunk, type HunkData, markEdits, tokenize } from 'react-diff-view';
import { useTranslation } from 'react-i18next';
import { IconButton } from '../../ui/button.tsx';
import { shortPath, useConversation } from '../conversation-context.ts';
import { useIsWide } from '../use-width.ts';
import { countChanges, type Patch, toHunkData } from './patch.ts';

/** From this width on, before and after stand side by side. */
const SPLIT_FROM_PX = 760;
/** Lines that are shown before the change is unfolded. */
const FOLDED_LINES = 120;
/** More lines than this are only for an editor. */
const MOST_LINES = 4000;

/** One file's change: path, counts, and the lines, side by side where there is room. */
export const FileDiff = memo(function FileDiff({ patch, hasHead = true }: { patch: Patch; hasHead?: boolean }) {
  const { t } = useTranslation('claude');
  const [ref, isWide] = useIsWide<HTMLDivElement>(SPLIT_FROM_PX);
  const [isOpen, setOpen] = useState(false);
  const total = patch.hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0);
  const limit = isOpen ? MOST_LINES : FOLDED_LINES;
  const hunks = useMemo(() => toHunkData(patch.hunks, limit), [patch, limit]);
  const tokens = useMemo(() => tokenize(hunks, { enhancers: [markEdits(hunks, { type: 'block' })] }), [hunks]);
  const { added } = countChanges(patch.hunks);
  const isSplit = isWide && !patch.isNew && added !== total;
  return (
    <div ref={ref} className="overflow-hidden rounded-md border border-line bg-canvas">
      {hasHead && <DiffHead patch={patch} />}
      {hunks.length === 0 ? (
        <p className="px-3 py-2 text-dim">{t('diff.nothing')}</p>
      ) : (
        <Diff
          viewType={isSplit ? 'split' : 'unified'}
          diffType={patch.isNew ? 'add' : 'modify'}
          gutterType={patch.isExcerpt ? 'none' : 'default'}
          hunks={hunks}
          tokens={tokens}
          className={patch.isNew ? 'baton-diff baton-diff-new selectable' : 'baton-diff selectable'}
        >
          {(shown) =>
            shown.flatMap((hunk, index) => [
              ...(index > 0 ? [gap(hunk)] : []),
              <Hunk key={hunk.content + String(index)} hunk={hunk} />,
            ])
          }
        </Diff>
      )}
      {total > limit && (
        <button
          type="button"
          onClick={() => setOpen(true)}
          disabled={isOpen}
          className="block h-7 w-full border-t border-line text-11 text-dim hover:bg-hover hover:text-text disabled:hover:bg-transparent"
        >
          {isOpen ? t('diff.tooLong', { shown: limit, count: total }) : t('code.showAll', { count: total })}
        </button>
      )}
    </div>
  );
});

function gap(hunk: HunkData) {
  return (
    <Decoration key={`gap ${hunk.content}`}>
      <span>{hunk.content}</span>
    </Decoration>
  );
}

function DiffHead({ patch }: { patch: Patch }) {
  const { t } = useTranslation('claude');
  const { cwd, openPath } = useConversation();
  const line = patch.isExcerpt ? undefined : patch.hunks[0]?.newStart;
  return (
    <div className="flex h-7 items-center gap-2 border-b border-line bg-sunken pr-1 pl-3 text-11">
      <span className="min-w-0 flex-1 truncate font-mono text-dim" title={patch.path}>
        {shortPath(patch.path, cwd)}
      </span>
      <ChangeCounts patch={patch} />
      <IconButton
        icon={ExternalLink}
        label={t('diff.open', { path: shortPath(patch.path, cwd) })}
        onClick={() => openPath(patch.path, line)}
      />
    </div>
  );
}

export function ChangeCounts({ patch }: { patch: Pick<Patch, 'hunks'> }) {
  const { t } = useTranslation('claude');
  const { added, removed } = countChanges(patch.hunks);
  return (
    <span className="flex gap-1.5 text-11 tabular-nums">
      <span className="sr-only">{t('diff.counts', { added, removed })}</span>
      {added > 0 && (
        <span aria-hidden className="text-added">
          +{added}
        </span>
      )}
      {removed > 0 && (
        <span aria-hidden className="text-danger">
          −{removed}
        </span>
      )}
    </span>
  );
}
