import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { TITLE_CHANNEL } from '../../src-shared/operations.ts';
import { PageFrame } from '../settings/page-frame.tsx';
import { useWindow } from '../store.ts';
import { Button } from '../ui/button.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { ErrorNotice } from '../ui/error-notice.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { describeFailure } from '../ui/toasts.tsx';
import { paneIdOf } from '../workspace/layout.ts';
import type { PageProps } from '../workspace/pane.tsx';
import { revealPlace } from '../workspace/pane-reveal.ts';
import { openPane } from '../workspace/workspace.ts';
import { type Hit, type HitGroup, useSearch } from './use-search.ts';

/** Everything that was ever shown or said, in all sessions, the ended ones too. */
export function SearchPage({ visible }: PageProps) {
  const { t } = useTranslation();
  const [query, setQuery] = useState('');
  const { groups, isBusy, error, hasMore, showMore, again } = useSearch(query);
  const isAnswered = !isBusy && error === null;
  return (
    <PageFrame
      page="search"
      visible={visible}
      label={t('search.hint')}
      query={query}
      onQuery={setQuery}
      aside={isBusy && <Spinner label={t('search.busy')} />}
    >
      <div className="mx-auto max-w-200 px-4 py-3">
        {error !== null && (
          <ErrorNotice title={t('search.failed')} text={describeFailure(error)} action={{ label: t('retry'), onSelect: again }} />
        )}
        {query.trim() === '' && <EmptyState title={t('page.search')} text={t('search.text')} />}
        {query.trim() !== '' && isAnswered && groups.length === 0 && (
          <p className="py-8 text-center text-faint">{t('search.none')}</p>
        )}
        {groups.map((group) => (
          <Group key={group.runId} group={group} />
        ))}
        {hasMore && (
          <div className="flex justify-center py-3">
            <Button busy={isBusy} onClick={showMore}>
              {t('search.more')}
            </Button>
          </div>
        )}
      </div>
    </PageFrame>
  );
}

function Group({ group }: { group: HitGroup }) {
  const { t } = useTranslation();
  const session = useWindow((window) => window.sessions.get(group.runId));
  return (
    <section className="pb-3">
      <h2 className="sticky top-0 flex items-center gap-2 bg-canvas py-1 font-medium">
        {session && <StateMark status={session.status} />}
        <span className="min-w-0 truncate">{session?.title ?? t('page.unknownSession')}</span>
        <span className="text-11 font-normal text-faint">{t('search.hits', { count: group.hits.length })}</span>
      </h2>
      <ul>
        {group.hits.map((hit) => (
          <li key={`${hit.channel}:${hit.seq}:${hit.before.length}`}>
            <HitLine hit={hit} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function HitLine({ hit }: { hit: Hit }) {
  return (
    <button
      type="button"
      onClick={() => openHit(hit.runId, hit)}
      className="flex w-full items-baseline gap-3 rounded-sm px-2 py-1 text-left hover:bg-hover"
    >
      <span className="line-clamp-2 min-w-0 flex-1 font-mono text-dim break-words">
        {hit.before}
        <mark className="rounded-sm bg-accent-soft px-px text-accent-text">{hit.match}</mark>
        {hit.after}
      </span>
      <RelativeTime at={hit.ts} className="shrink-0 text-11 text-faint tabular-nums" />
    </button>
  );
}

function openHit(runId: RunId, { seq, match, channel }: Hit): void {
  const content = { is: 'session', runId } as const;
  openPane(content);
  if (channel !== TITLE_CHANNEL) revealPlace(paneIdOf(content), { seq, match });
}
