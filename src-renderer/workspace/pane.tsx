import { type ComponentType, lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { RemoteBar } from '../machines/remote-bar.tsx';
import { UnsentBar } from '../machines/unsent.tsx';
import type { PaneProps } from '../pane-contract.ts';
import { useWindow } from '../store.ts';
import { EmptyState } from '../ui/empty-state.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { EndedBar } from './ended-bar.tsx';
import type { PageName, PaneContent } from './layout.ts';
import { NotesBar } from './notes-bar.tsx';
import { PaneBoundary } from './pane-boundary.tsx';

/** What a pane shows comes when the first pane of its kind is opened. */
const TerminalPane = lazy(async () => ({ default: (await import('../terminal/terminal-pane.tsx')).TerminalPane }));
const ClaudePane = lazy(async () => ({ default: (await import('../claude/claude-pane.tsx')).ClaudePane }));

/** A terminal is what one opens first: its code is fetched while nothing else is to be done. Not every browser says when that is. */
export function loadAhead(): void {
  const load = () =>
    import('../terminal/terminal-pane.tsx').catch((error: unknown) => console.warn('terminals could not be loaded ahead', error));
  if ('requestIdleCallback' in window) requestIdleCallback(() => void load());
  else setTimeout(() => void load());
}

export interface PageProps {
  readonly active: boolean;
  readonly visible: boolean;
}
const pages: Record<PageName, ComponentType<PageProps>> = {
  settings: lazy(async () => ({ default: (await import('../settings/settings-page.tsx')).SettingsPage })),
  shortcuts: lazy(async () => ({ default: (await import('../settings/shortcuts-page.tsx')).ShortcutsPage })),
  machines: lazy(async () => ({ default: (await import('../machines/machines-page.tsx')).MachinesPage })),
  search: lazy(async () => ({ default: (await import('../search/search-page.tsx')).SearchPage })),
};

export function Pane({
  paneId,
  content,
  active,
  visible,
}: {
  paneId: string;
  content: PaneContent;
  active: boolean;
  visible: boolean;
}) {
  const Page = content.is === 'page' ? pages[content.page] : null;
  return (
    <div className="flex h-full flex-col bg-canvas">
      {content.is === 'session' && <RemoteBar runId={content.runId} />}
      {content.is === 'session' && <UnsentBar runId={content.runId} />}
      {content.is === 'session' && <NotesBar runId={content.runId} visible={visible} />}
      <div className="min-h-0 flex-1">
        <PaneBoundary paneId={paneId}>
          <Suspense fallback={<Loading />}>
            {Page ? <Page active={active} visible={visible} /> : null}
            {content.is === 'session' ? <SessionPane runId={content.runId} active={active} visible={visible} /> : null}
          </Suspense>
        </PaneBoundary>
      </div>
      {content.is === 'session' ? <EndedBar runId={content.runId} /> : null}
    </div>
  );
}

function Loading() {
  const { t } = useTranslation();
  return (
    <div className="flex h-full items-center justify-center text-faint">
      <Spinner label={t('loading')} />
    </div>
  );
}

function SessionPane(props: PaneProps) {
  const kind = useWindow((window) => window.sessions.get(props.runId)?.kind);
  if (kind === undefined) return <Gone runId={props.runId} />;
  return kind === 'claude' ? <ClaudePane {...props} /> : <TerminalPane {...props} />;
}

/** Deleted elsewhere, or not told of yet. */
function Gone({ runId }: { runId: RunId }) {
  const { t } = useTranslation();
  const isKnown = useWindow((window) => window.host !== null);
  return isKnown ? <EmptyState title={t('pane.gone')} text={t('pane.goneText', { id: runId.slice(-6) })} /> : <Loading />;
}
