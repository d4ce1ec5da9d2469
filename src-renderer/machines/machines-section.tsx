import { ChevronRight, MonitorSmartphone, Plus } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Machine } from '../../src-shared/machines.ts';
import { runCommand } from '../commands.ts';
import { useWindow } from '../store.ts';
import { IconButton } from '../ui/button.tsx';
import { classes } from '../ui/classes.ts';
import { Icon } from '../ui/icon.tsx';
import { ContextMenu } from '../ui/menu.tsx';
import { changePreferences } from '../workspace/saved-layout.ts';
import { machineMenu } from './machine-menu.ts';
import { mayManage, standingOf, useHasSeveral, useHosted, useMachines } from './machine-state.ts';
import { useStandingWords } from './machine-words.ts';
import { StandingMark } from './standing-mark.tsx';

const foldKey = 'machines';

/** Below the sessions: where they run. With one machine it is no more than the way to a second one. */
export function MachinesSection({ onFilter }: { onFilter: (query: string) => void }) {
  const { t } = useTranslation('machines');
  const isKnown = useWindow((window) => window.machines !== null);
  const mayAdd = useWindow((window) => mayManage(window.machines));
  const isFolded = useWindow((window) => window.preferences.sidebar.folded.includes(foldKey));
  const machines = useMachines();
  const hasSeveral = useHasSeveral();
  if (!isKnown) return null;
  if (!hasSeveral) return <Invitation />;
  return (
    <section aria-label={t('title')} className="flex max-h-[40%] shrink-0 flex-col border-t border-line pb-1">
      <div className="flex h-8 shrink-0 items-center pr-1.5 pl-3 phone:h-12 phone:pl-4">
        <button
          type="button"
          aria-expanded={!isFolded}
          onClick={() => toggleFold(isFolded)}
          className="group flex h-6 min-w-0 flex-1 items-center gap-1 rounded-sm text-left text-11 font-medium text-faint hover:text-text phone:h-11"
        >
          {t('title')}
          <span className="tabular-nums">{machines.length}</span>
          <Icon of={ChevronRight} size={12} className={classes('transition-transform duration-120', !isFolded && 'rotate-90')} />
        </button>
        {mayAdd && <IconButton icon={Plus} label={t('add')} onClick={() => runCommand('machines.add')} />}
      </div>
      {!isFolded && (
        <ul aria-label={t('title')} className="min-h-0 overflow-y-auto">
          {machines.map((machine) => (
            <MachineRow key={machine.machineId} machine={machine} onFilter={onFilter} />
          ))}
        </ul>
      )}
    </section>
  );
}

function toggleFold(isFolded: boolean): void {
  changePreferences(({ sidebar }) => ({
    sidebar: {
      ...sidebar,
      folded: isFolded ? sidebar.folded.filter((key) => key !== foldKey) : [...sidebar.folded, foldKey],
    },
  }));
}

function Invitation() {
  const { t } = useTranslation('machines');
  return (
    <div className="shrink-0 px-1.5 py-1">
      <button
        type="button"
        onClick={() => runCommand('machines.add')}
        className="flex h-7 w-full items-center gap-2 rounded-sm px-1.5 text-left text-faint hover:bg-hover hover:text-text phone:h-12 phone:gap-3 phone:px-2.5"
      >
        <Icon of={MonitorSmartphone} />
        {t('add')}
      </button>
    </div>
  );
}

function MachineRow({ machine, onFilter }: { machine: Machine; onFilter: (query: string) => void }) {
  const { t } = useTranslation('machines');
  const words = useStandingWords();
  const standing = standingOf(machine);
  const hosted = useHosted(machine.machineId);
  const isThere = standing === 'self' || standing === 'online';
  return (
    <li className="px-1.5">
      <ContextMenu items={() => machineMenu(machine, onFilter)}>
        <button
          type="button"
          title={[machine.name, words(machine), t('sessions', { count: hosted })].join('\n')}
          onClick={() => runCommand('machines.show')}
          className="flex h-7 w-full items-center gap-2 rounded-sm px-1.5 text-left outline-offset-[-2px] hover:bg-hover phone:h-12 phone:gap-3 phone:px-2.5"
        >
          <span className="flex size-4 shrink-0 items-center justify-center">
            <StandingMark standing={standing} />
          </span>
          {/* A long name leaves room for how it stands, and the other way round. */}
          <span className={classes('min-w-0 flex-1 truncate', isThere ? 'text-text' : 'text-dim')}>{machine.name}</span>
          <span className="max-w-[60%] shrink-0 truncate text-right text-11 text-faint">{words(machine)}</span>
          <span className="min-w-4 shrink-0 text-right text-11 text-faint tabular-nums">
            {hosted}
            <span className="sr-only"> {t('sessionsWord', { count: hosted })}</span>
          </span>
        </button>
      </ContextMenu>
    </li>
  );
}
