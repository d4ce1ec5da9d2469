import { Command } from 'cmdk';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { SessionSummary } from '../../src-shared/session.ts';
import { MachineBadge } from '../machines/machine-badge.tsx';
import { groupSessions } from '../sidebar/grouping.ts';
import { projectOf, shortPath } from '../sidebar/project.ts';
import { useWindow } from '../store.ts';
import { BareDialog } from '../ui/dialog.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { openPane } from '../workspace/workspace.ts';
import { PickList } from './pick-list.tsx';

/** cmdk draws every line; beyond this many the older ended ones are found by the sidebar's filter and by search. */
const shownAtMost = 300;

/** Sessions by title, folder, machine, state: what needs the user first, the ended ones last. */
export function GoToSession({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [groups] = useState(() => groupSessions([...useWindow.getState().sessions.values()], 'state'));
  const sessions = groups.flatMap((group) => group.sessions).slice(0, shownAtMost);
  const choose = (session: SessionSummary) => {
    onClose();
    openPane({ is: 'session', runId: session.runId });
  };
  return (
    <BareDialog open onOpenChange={(open) => !open && onClose()} title={t('goTo.name')}>
      <PickList placeholder={t('goTo.hint')} empty={t('goTo.none')}>
        {sessions.map((session) => (
          <Command.Item
            key={session.runId}
            value={session.runId}
            keywords={[
              session.title,
              projectOf(session.cwd),
              shortPath(session.cwd),
              session.machine,
              t(`status.${session.status}`),
            ]}
            onSelect={() => choose(session)}
          >
            <StateMark status={session.status} />
            <span className="max-w-[60%] truncate">{session.title}</span>
            <span className="min-w-0 flex-1 truncate text-faint">{shortPath(session.cwd)}</span>
            {session.remote && <MachineBadge name={session.machine} isAway={session.remote.connection === 'away'} />}
            <RelativeTime at={session.lastActivityAt} className="text-11 text-faint tabular-nums" />
          </Command.Item>
        ))}
      </PickList>
    </BareDialog>
  );
}
