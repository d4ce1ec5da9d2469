import { Bell, BellOff, Users } from 'lucide-react';
import { Popover } from 'radix-ui';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import type { Machine } from '../../src-shared/machines.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import { call, thisClient } from '../engine.ts';
import { type Presence, useWindow } from '../store.ts';
import { Icon } from '../ui/icon.tsx';
import { Switch } from '../ui/switch.tsx';
import { showFailure } from '../ui/toasts.tsx';
import { standingOf, useHasSeveral, useMachines } from './machine-state.ts';
import { StandingMark } from './standing-mark.tsx';
import { viewerName } from './viewer-name.ts';

/** Who else looks at a session, on whatever machine, who types, and which machines are told of it. Nothing while there is nobody else. */
export function PresenceButton({ runId }: { runId: RunId }) {
  const { t } = useTranslation('machines');
  const presence = useWindow((window) => window.presence.get(runId));
  const session = useWindow((window) => window.sessions.get(runId));
  const hasSeveral = useHasSeveral();
  const count = presence?.viewers.length ?? 0;
  if (session === undefined || (count < 2 && !hasSeveral)) return null;
  const followed = t(session.followed ? 'follow.on' : 'follow.off');
  const looks = count < 2 ? null : t('presence.count', { count });
  return (
    <Popover.Root>
      <Popover.Trigger asChild>
        <button
          type="button"
          aria-label={hasSeveral ? [looks, followed].filter(Boolean).join(', ') : undefined}
          title={hasSeveral ? followed : undefined}
          className="flex h-6 shrink-0 items-center gap-1 rounded-sm px-1.5 text-11 text-dim hover:bg-hover hover:text-text data-[state=open]:bg-hover phone:h-9 phone:min-w-9 phone:justify-center"
        >
          {looks !== null && (
            <>
              <Icon of={Users} size={14} />
              {looks}
            </>
          )}
          {hasSeveral && <Icon of={session.followed ? Bell : BellOff} size={14} />}
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          side="bottom"
          align="end"
          sideOffset={4}
          collisionPadding={8}
          aria-label={t('presence.title')}
          className="z-50 max-w-80 min-w-56 rounded-md border border-line bg-raised p-2 shadow-float animate-appear"
        >
          {presence !== undefined && count > 1 && <Lookers presence={presence} session={session} />}
          {hasSeveral && <Followers session={session} />}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

const heading = 'px-1 pb-1 text-11 font-medium text-faint';

function Lookers({ presence, session }: { presence: Presence; session: SessionSummary }) {
  const { t } = useTranslation('machines');
  const machines = useMachines();
  return (
    <section className="pb-2 last:pb-0">
      <h3 className={heading}>{t('presence.title')}</h3>
      <ul className="max-h-60 overflow-y-auto">
        {presence.viewers.map(({ clientId, name }) => (
          <li key={clientId} className="flex items-baseline gap-2 px-1 py-0.5">
            <span className="min-w-0 flex-1 truncate">
              {clientId === thisClient() ? t('presence.you') : viewerName(name, session, machines)}
            </span>
            {clientId === presence.driver && <span className="text-11 text-accent-text">{t('presence.drives')}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The machines that are told when it needs the user, ends or fails. */
function Followers({ session }: { session: SessionSummary }) {
  const { t } = useTranslation('machines');
  const machines = useMachines();
  // A machine that may only look decides for itself alone.
  const mayOthers = machines.find(({ self }) => self)?.rights !== 'view';
  return (
    <section>
      <h3 className={heading}>{t('follow.title')}</h3>
      <ul className="max-h-60 overflow-y-auto">
        {machines.map((machine) => (
          <Follower key={machine.machineId} session={session} machine={machine} mayChoose={machine.self || mayOthers} />
        ))}
      </ul>
      <p className="px-1 pt-1 text-11 text-faint">{t('follow.help')}</p>
    </section>
  );
}

function Follower({ session, machine, mayChoose }: { session: SessionSummary; machine: Machine; mayChoose: boolean }) {
  const { t } = useTranslation('machines');
  const { machineId, name, self } = machine;
  return (
    <li className="flex items-center gap-2 px-1 py-0.5 phone:h-11">
      <StandingMark standing={standingOf(machine)} />
      <span className="min-w-0 flex-1 truncate">{self ? t('choose.self', { name }) : name}</span>
      <Switch
        label={t('follow.of', { name })}
        checked={session.followers.includes(machineId)}
        disabled={!mayChoose}
        onChange={(follows) => {
          call('session.follow', { runId: session.runId, follows, machineId }).catch((error: unknown) =>
            showFailure(t('follow.failed'), error),
          );
        }}
      />
    </li>
  );
}
