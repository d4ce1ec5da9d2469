import './panes.css';
import {
  type DockviewApi,
  DockviewReact,
  type DockviewReadyEvent,
  type DockviewTheme,
  type IDockviewPanel,
} from 'dockview-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { Emptiness } from '../start/emptiness.tsx';
import { useWindow } from '../store.ts';
import { announce } from '../ui/announcer.tsx';
import { classes } from '../ui/classes.ts';
import { showFailure } from '../ui/toasts.tsx';
import { DockPane } from './dock-pane.tsx';
import { loadAhead } from './pane.tsx';
import { titleOf } from './pane-title.ts';
import { layoutChanged, restoreLayout } from './saved-layout.ts';
import { showTab } from './show-tab.ts';
import { Tab } from './tab.tsx';
import { TabStripActions } from './tab-strip-actions.tsx';
import { contentOf, forgetSession, refocusActivePane, setDock } from './workspace.ts';

const theme: DockviewTheme = { name: 'baton', className: 'dockview-theme-baton', dndTabIndicator: 'line' };
const components = { pane: DockPane };

/** The panes' area. Everything about the arrangement goes through workspace.ts; this mounts it and listens. */
export function Panes() {
  const { t } = useTranslation();
  const [groups, setGroups] = useState(0);
  const release = useRef<() => void>(undefined);
  const handleReady = useCallback(
    ({ api }: DockviewReadyEvent) => {
      setDock(api);
      const subscriptions = [
        api.onDidLayoutChange(() => {
          setGroups(api.groups.length);
          readOpenPanes(api);
          layoutChanged();
        }),
        api.onDidMaximizedGroupChange(() => readOpenPanes(api)),
        api.onDidMovePanel(refocusActivePane),
        api.onDidActivePanelChange(({ panel }) => {
          readOpenPanes(api);
          if (panel) showTab(panel.id);
        }),
      ];
      const stopTitles = useWindow.subscribe(({ sessions }, before) => {
        if (sessions === before.sessions) return;
        for (const runId of before.sessions.keys()) if (!sessions.has(runId)) forgetSession(runId);
        writeTitles(api);
      });
      release.current = () => {
        stopTitles();
        for (const subscription of subscriptions) subscription.dispose();
        setDock(null);
      };
      restoreLayout()
        .catch((error: unknown) => showFailure(t('layout.notRead'), error))
        .finally(loadAhead);
    },
    [t],
  );
  useEffect(() => () => release.current?.(), []);

  return (
    <DockviewReact
      className={classes('h-full w-full', groups > 1 && 'baton-several')}
      theme={theme}
      components={components}
      defaultTabComponent={Tab}
      rightHeaderActionsComponent={TabStripActions}
      watermarkComponent={Emptiness}
      disableFloatingGroups
      proportionalLayout
      scrollbars="native"
      announcer={({ message }) => announce(message)}
      onReady={handleReady}
    />
  );
}

/** What the rest of the window wants to know about the panes. A set is renewed only when it holds something else. */
function readOpenPanes(api: DockviewApi): void {
  const active = api.activePanel;
  const content = active && contentOf(active);
  useWindow.setState(({ openRuns, visibleRuns }) => ({
    activePane: active?.id ?? null,
    activeRun: content?.is === 'session' ? content.runId : null,
    openRuns: renewed(openRuns, runsIn(api.panels)),
    visibleRuns: renewed(visibleRuns, runsIn(api.panels.filter((panel) => panel.api.isVisible))),
  }));
}

function runsIn(panels: readonly IDockviewPanel[]): ReadonlySet<RunId> {
  return new Set(
    panels.flatMap((panel) => {
      const content = contentOf(panel);
      return content.is === 'session' ? [content.runId] : [];
    }),
  );
}

function renewed(before: ReadonlySet<RunId>, now: ReadonlySet<RunId>): ReadonlySet<RunId> {
  return before.size === now.size && [...now].every((runId) => before.has(runId)) ? before : now;
}

/** Tabs and regions are named by dockview from the panel's title. */
function writeTitles(api: DockviewApi): void {
  const { sessions } = useWindow.getState();
  for (const panel of api.panels) {
    const title = titleOf(contentOf(panel), sessions);
    if (panel.title !== title) panel.api.setTitle(title);
  }
}
