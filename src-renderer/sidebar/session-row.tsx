import { ChevronRight } from 'lucide-react';
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import { MachineBadge } from '../machines/machine-badge.tsx';
import { otherMachine } from '../machines/machine-state.ts';
import { UnsentMark } from '../machines/unsent.tsx';
import { useWindow } from '../store.ts';
import { classes } from '../ui/classes.ts';
import { Icon } from '../ui/icon.tsx';
import { ContextMenu } from '../ui/menu.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import type { ListRow } from './grouping.ts';
import { projectOf, shortPath } from './project.ts';
import { groupMenu, sessionMenu } from './session-menu.ts';

const rowClasses = 'flex h-7 phone:h-12 w-full items-center rounded-sm text-left outline-offset-[-2px]';

export function GroupHeading({
  row,
  isTabStop,
  onFocus,
  onToggle,
}: {
  row: Extract<ListRow, { is: 'group' }>;
  isTabStop: boolean;
  onFocus: () => void;
  onToggle: () => void;
}) {
  const { t } = useTranslation();
  const { group, isFolded } = row;
  const name = group.state ? t(`sidebar.group.${group.state}`) : (group.name ?? '');
  const folder = group.key.startsWith('project:') ? shortPath(group.key.slice('project:'.length)) : undefined;
  return (
    <div className="px-1.5">
      <ContextMenu items={() => groupMenu(group)} disabled={group.state !== 'ended'}>
        <button
          type="button"
          data-row={group.key}
          aria-expanded={!isFolded}
          tabIndex={isTabStop ? 0 : -1}
          onFocus={onFocus}
          onClick={onToggle}
          title={folder}
          className={classes(rowClasses, 'group gap-1 px-1.5 phone:px-2.5 text-11 font-medium text-faint hover:text-text')}
        >
          <span className={classes('truncate', group.state === 'needsYou' && 'text-accent-text')}>{name}</span>
          <span className="tabular-nums">{group.sessions.length}</span>
          <Icon
            of={ChevronRight}
            size={12}
            className={classes(
              'transition-transform duration-120',
              isFolded ? '' : 'rotate-90 opacity-0 group-hover:opacity-100 group-focus-visible:opacity-100',
            )}
          />
        </button>
      </ContextMenu>
    </div>
  );
}

export const SessionRow = memo(function SessionRow({
  session,
  isTabStop,
  onFocus,
  onOpen,
}: {
  session: SessionSummary;
  isTabStop: boolean;
  onFocus: () => void;
  onOpen: (runId: RunId) => void;
}) {
  const { t } = useTranslation();
  const isActive = useWindow((window) => window.activeRun === session.runId);
  const groupBy = useWindow((window) => window.preferences.sidebar.groupBy);
  const isOver = session.status === 'ended';
  const isAsking = session.permissions > 0;
  const project = projectOf(session.cwd);
  const machine = groupBy === 'machine' ? null : otherMachine(session);
  return (
    <div className="px-1.5">
      <ContextMenu items={() => sessionMenu(session)}>
        <button
          type="button"
          data-row={session.runId}
          data-run-id={session.runId}
          aria-current={isActive || undefined}
          tabIndex={isTabStop ? 0 : -1}
          onFocus={onFocus}
          onClick={() => onOpen(session.runId)}
          title={[session.title, shortPath(session.cwd), session.remote && session.machine].filter(Boolean).join('\n')}
          className={classes(
            rowClasses,
            'gap-2 px-1.5 phone:gap-3 phone:px-2.5 hover:bg-hover',
            isActive && 'bg-selected hover:bg-selected',
          )}
        >
          <StateMark status={session.status} />
          {/* The project has what the title leaves; where that is too little it wraps out of sight. */}
          <span className="flex h-5 min-w-0 flex-1 flex-wrap gap-x-2 overflow-hidden leading-5">
            <span className={classes('max-w-full truncate', isOver ? 'text-dim' : 'text-text', isAsking && 'font-medium')}>
              {session.title}
            </span>
            {groupBy !== 'project' && machine === null && !isAsking && project !== session.title && (
              <span className="min-w-0 flex-[1_1_4rem] truncate text-right text-faint">{project}</span>
            )}
          </span>
          {session.unsent !== null && <UnsentMark />}
          {machine !== null && <MachineBadge name={machine} isAway={session.remote?.connection === 'away'} />}
          {isAsking ? (
            <span className="text-11 text-accent-text">{t('sidebar.permission', { count: session.permissions })}</span>
          ) : (
            <RelativeTime at={session.lastActivityAt} className="min-w-8 shrink-0 text-right text-11 text-faint tabular-nums" />
          )}
        </button>
      </ContextMenu>
    </div>
  );
});
