import { PanelLeft } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { needsYou } from '../../src-shared/notify.ts';
import type { SessionState, SessionSummary } from '../../src-shared/session.ts';
import { runCommand } from '../commands.ts';
import { PresenceButton } from '../machines/presence.tsx';
import { useKeyLabel } from '../navigation/keymap.ts';
import { shortPath } from '../sidebar/project.ts';
import { DemoMark, MachineLine, NewButtons } from '../sidebar/sidebar-foot.tsx';
import { useSidebarShown } from '../sidebar/sidebar-shown.ts';
import { useWindow } from '../store.ts';
import { IconButton } from '../ui/button.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { ConnectionLabel } from './connection-label.tsx';
import { formatCost } from './figures.ts';

/** One line about the active session. Without a sidebar it also holds what the sidebar's foot would. */
export function StatusLine() {
  const { t } = useTranslation();
  const isSidebarShown = useSidebarShown();
  const session = useWindow((window) => (window.activeRun === null ? undefined : window.sessions.get(window.activeRun)));
  const state = useWindow((window) => (window.activeRun === null ? undefined : window.states.get(window.activeRun)));
  return (
    <section
      data-region="status"
      aria-label={t('statusLine.name')}
      className="flex h-8 shrink-0 items-center gap-3 border-t border-line bg-sunken px-3 text-11 text-dim"
    >
      {!isSidebarShown && <SidebarStandIn />}
      {session && <About session={session} state={state} />}
      <span className="flex-1" />
      {session && !session.remote && <PresenceButton runId={session.runId} />}
      {state && <Cost state={state} />}
      <Attention />
      <ConnectionLabel />
    </section>
  );
}

function SidebarStandIn() {
  const { t } = useTranslation();
  const shortcut = useKeyLabel('view.sidebar');
  return (
    <span className="-ml-1.5 flex items-center gap-1">
      <IconButton icon={PanelLeft} label={t('sidebar.show')} shortcut={shortcut} onClick={() => runCommand('view.sidebar')} />
      <DemoMark />
      <NewButtons />
      <span className="hidden max-w-40 sm:flex">
        <MachineLine />
      </span>
    </span>
  );
}

function About({ session, state }: { session: SessionSummary; state: SessionState | undefined }) {
  const { t } = useTranslation();
  const cwd = state?.cwd ?? session.cwd;
  return (
    <>
      <span className="flex shrink-0 items-center gap-1.5">
        <StateMark status={session.status} silent />
        {t(`status.${session.status}`)}
      </span>
      <span className="min-w-0 truncate selectable" title={cwd}>
        {shortPath(cwd)}
      </span>
      {session.status === 'ended' && session.exitCode !== null && (
        <span className="shrink-0">{t('statusLine.exit', { code: session.exitCode })}</span>
      )}
    </>
  );
}

/** What the conversation has cost, where the provider says. How full the context is stands at the composer. */
function Cost({ state }: { state: SessionState }) {
  const { t } = useTranslation();
  const usage = state.claude?.usage;
  if (!usage || usage.costUsd === null) return null;
  return (
    <span title={t('statusLine.usage', usage)} className="shrink-0 tabular-nums">
      {formatCost(usage.costUsd)}
    </span>
  );
}

/** How many sessions wait for the user; leads to the next one. */
function Attention() {
  const { t } = useTranslation();
  const count = useWindow((window) => [...window.sessions.values()].filter(needsYou).length);
  if (count === 0) return null;
  return (
    <button
      type="button"
      onClick={() => runCommand('go.attention')}
      className="flex h-6 shrink-0 items-center gap-1 rounded-sm px-1.5 font-medium text-accent-text hover:bg-hover"
    >
      <StateMark status="waiting" silent />
      {t('statusLine.attention', { count })}
    </button>
  );
}
