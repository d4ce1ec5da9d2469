import { Ellipsis, Plus } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { Machine, Rights } from '../../src-shared/machines.ts';
import { runCommand } from '../commands.ts';
import { call } from '../engine.ts';
import { useWindow } from '../store.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { Menu } from '../ui/menu.tsx';
import { Select } from '../ui/select.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { showFailure } from '../ui/toasts.tsx';
import { paneIdOf } from '../workspace/layout.ts';
import { addFocusTaker } from '../workspace/pane-focus.ts';
import { machineMenu } from './machine-menu.ts';
import { hasSeveral, mayManage, standingOf, useHosted } from './machine-state.ts';
import { useStandingWords } from './machine-words.ts';
import { NotInSync } from './not-in-sync.tsx';
import { RelaySection } from './relay-section.tsx';
import { StandingMark } from './standing-mark.tsx';

const RIGHTS: readonly Rights[] = ['view', 'type', 'start'];

/** The user's machines: what each may do, how it stands, and where they meet. */
export function MachinesPage() {
  const { t } = useTranslation('machines');
  const root = useRef<HTMLDivElement>(null);
  const list = useWindow((window) => window.machines);
  useEffect(() => addFocusTaker(paneIdOf({ is: 'page', page: 'machines' }), () => root.current?.focus()), []);
  return (
    <div ref={root} tabIndex={-1} className="@container h-full overflow-y-auto focus-visible:outline-none">
      {list === null ? (
        <p className="flex items-center gap-2 p-6 text-faint">
          <Spinner /> {t('page.loading')}
        </p>
      ) : list.workspace === null && !hasSeveral(list) && list.relay.state !== 'refused' ? (
        <Alone />
      ) : (
        <div className="mx-auto max-w-170 px-4 pt-4 pb-16">
          <header className="flex flex-wrap items-center gap-2 pb-2">
            <h2 className="flex-1 text-15 font-semibold">{t('page.yours')}</h2>
            {mayManage(list) && (
              <Button icon={Plus} onClick={() => runCommand('machines.add')}>
                {t('add')}
              </Button>
            )}
          </header>
          <NotInSync list={list} />
          {!mayManage(list) && <p className="pb-2 text-dim">{t('page.mayNot')}</p>}
          <ul className="divide-y divide-line border-y border-line">
            {list.machines.map((machine) => (
              <MachineEntry key={machine.machineId} machine={machine} mayManage={mayManage(list)} />
            ))}
          </ul>
          {list.workspace && <p className="pt-2 text-11 text-faint">{t(`page.keys.${list.workspace.keys}`)}</p>}
          <RelaySection relay={list.relay} />
        </div>
      )}
    </div>
  );
}

function Alone() {
  const { t } = useTranslation('machines');
  return (
    <EmptyState title={t('page.alone')} text={t('page.aloneText')}>
      <Button variant="primary" onClick={() => runCommand('machines.add')}>
        {t('add')}
      </Button>
      <Button onClick={() => runCommand('machines.join')}>{t('join')}</Button>
    </EmptyState>
  );
}

function MachineEntry({ machine, mayManage: mayChange }: { machine: Machine; mayManage: boolean }) {
  const { t } = useTranslation('machines');
  const words = useStandingWords();
  const { machineId, name, version, platform } = machine;
  const standing = standingOf(machine);
  const hosted = useHosted(machineId);
  const facts = [
    t('sessions', { count: hosted }),
    version && t('page.version', { version }),
    platform && (platformNames[platform] ?? platform),
  ].filter(Boolean);
  const setRights = (rights: Rights) => {
    call('machines.setRights', { machineId, rights }).catch((error: unknown) => showFailure(t('page.notChanged'), error));
  };
  return (
    <li aria-label={name} className="flex flex-wrap items-center gap-x-4 gap-y-2 py-3">
      <div className="min-w-48 flex-1">
        <p className="flex items-center gap-2">
          <StandingMark standing={standing} />
          <span className="min-w-0 truncate font-medium selectable">{name}</span>
          <span className="shrink-0 text-11 text-dim">
            {standing === 'cut' ? `${t('standing.self')}, ${words(machine)}` : words(machine)}
          </span>
        </p>
        <p className="pl-4.5 text-11 text-faint">{facts.join(' · ')}</p>
      </div>
      <div className="flex items-center gap-2">
        {mayChange && !machine.self ? (
          <div className="w-40">
            <Select
              label={t('rights.labelOf', { name })}
              value={machine.rights}
              options={RIGHTS.map((value) => ({ value, label: t(`rights.${value}`), description: t(`rights.${value}Text`) }))}
              onChange={setRights}
            />
          </div>
        ) : (
          <span className="text-11 text-dim">{t(`rights.${machine.rights}`)}</span>
        )}
        <Menu items={machineMenu(machine)} align="end" label={name}>
          <IconButton icon={Ellipsis} label={t('menu.more', { name })} />
        </Menu>
      </div>
    </li>
  );
}

/** `process.platform` in the words of people. */
const platformNames: Readonly<Record<string, string>> = { darwin: 'macOS', linux: 'Linux', win32: 'Windows' };
