import i18next from 'i18next';
import type { RunId } from '../../src-shared/ids.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import type { PaneContent } from './layout.ts';

/** What a pane is called, everywhere: tab, region, window title. */
export function titleOf(content: PaneContent, sessions: ReadonlyMap<RunId, SessionSummary>): string {
  if (content.is === 'page') return i18next.t(`page.${content.page}`);
  return sessions.get(content.runId)?.title ?? i18next.t('page.unknownSession');
}
