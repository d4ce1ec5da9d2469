import { Users } from 'lucide-react';
import { Popover } from 'radix-ui';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { thisClient } from '../engine.ts';
import { useWindow } from '../store.ts';
import { Icon } from '../ui/icon.tsx';
import { useMachines } from './machine-state.ts';
import { viewerName } from './viewer-name.ts';

/** Who else looks at a session, on whatever machine, and who types. Nothing while one is alone with it. */
export function PresenceButton({ runId }: { runId: RunId }) {
  const { t } = useTranslation('machines');
  const presence = useWindow((window) => window.presence.get(runId));
  const session = useWindow((window) => window.sessions.get(runId)) ?? null;
  const machines = useMachines();
  if (presence === undefined || presence.viewers.length < 2) return null;
  const count = presence.viewers.length;
  return (
    <Popover.Root>
      <Popover.Trigger asChild>
        <button
          type="button"
          className="flex h-6 shrink-0 items-center gap-1 rounded-sm px-1.5 text-11 text-dim hover:bg-hover hover:text-text data-[state=open]:bg-hover phone:h-9"
        >
          <Icon of={Users} size={14} />
          {t('presence.count', { count })}
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          side="bottom"
          align="end"
          sideOffset={4}
          collisionPadding={8}
          aria-label={t('presence.title')}
          className="z-50 max-w-80 min-w-48 rounded-md border border-line bg-raised p-2 shadow-float animate-appear"
        >
          <p className="px-1 pb-1 text-11 font-medium text-faint">{t('presence.title')}</p>
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
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
