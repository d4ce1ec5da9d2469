import { Command } from 'cmdk';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { COMMAND_IDS, COMMANDS, type CommandId, isCommandId } from '../../src-shared/keymap.ts';
import { canRun, runCommand } from '../commands.ts';
import { withRecent } from '../preferences.ts';
import { useWindow } from '../store.ts';
import { afterClose } from '../ui/after-close.tsx';
import { BareDialog } from '../ui/dialog.tsx';
import { Kbd } from '../ui/kbd.tsx';
import { changePreferences } from '../workspace/saved-layout.ts';
import { keyLabel } from './keymap.ts';
import { PickList } from './pick-list.tsx';

/** How many recent commands stand above the others while nothing is typed. */
const recentShown = 5;

/** What can be done here and now: the recent ones first, then all by category. */
export function paletteGroups(
  recent: readonly string[],
): readonly { readonly heading: string; readonly commands: readonly CommandId[] }[] {
  const offered = COMMAND_IDS.filter((command) => command !== 'go.palette' && canRun(command));
  const recents = recent.filter((id): id is CommandId => isCommandId(id) && offered.includes(id)).slice(0, recentShown);
  const rest = offered.filter((command) => !recents.includes(command));
  const categories = [...new Set(rest.map((command) => COMMANDS[command].category))];
  return [
    ...(recents.length > 0 ? [{ heading: 'recent', commands: recents }] : []),
    ...categories.map((category) => ({
      heading: category,
      commands: rest.filter((command) => COMMANDS[command].category === category),
    })),
  ];
}

export function Palette({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const recent = useWindow((window) => window.preferences.recentCommands);
  // What is offered is settled when the palette opens: it is about the pane that had the focus then.
  const [groups] = useState(() => paletteGroups(recent));
  const [query, setQuery] = useState('');
  const choose = (command: CommandId) => {
    onClose();
    changePreferences(({ recentCommands }) => ({ recentCommands: withRecent(recentCommands, command) }));
    afterClose(() => runCommand(command));
  };
  const lines = (commands: readonly CommandId[]) =>
    commands.map((command) => <PaletteLine key={command} command={command} onChoose={choose} />);
  return (
    <BareDialog open onOpenChange={(open) => !open && onClose()} title={t('palette.name')}>
      <PickList placeholder={t('palette.hint')} empty={t('palette.none')} onQuery={setQuery}>
        {query.trim() === ''
          ? groups.map(({ heading, commands }) => (
              <Command.Group key={heading} heading={heading === 'recent' ? t('palette.recent') : heading}>
                {lines(commands)}
              </Command.Group>
            ))
          : // One list: in groups, something that was used lately would stand above what fits better.
            lines(groups.flatMap(({ commands }) => commands))}
      </PickList>
    </BareDialog>
  );
}

function PaletteLine({ command, onChoose }: { command: CommandId; onChoose: (command: CommandId) => void }) {
  const { title, category } = COMMANDS[command];
  const keys = keyLabel(command);
  return (
    <Command.Item value={command} keywords={[title, category]} onSelect={() => onChoose(command)}>
      <span className="min-w-0 flex-1 truncate">{title}</span>
      {keys && <Kbd>{keys}</Kbd>}
    </Command.Item>
  );
}
