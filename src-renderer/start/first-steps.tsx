import { Sparkle, SquareTerminal } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { runCommand } from '../commands.ts';
import { keyLabel } from '../navigation/keymap.ts';
import { Button } from '../ui/button.tsx';
import { Kbd } from '../ui/kbd.tsx';

/** Worded unlike the buttons at the foot of the sidebar, so that each name is there once. */
export function FirstSteps() {
  const { t } = useTranslation();
  return (
    <>
      <Button
        icon={SquareTerminal}
        onClick={() => runCommand('session.newTerminal')}
        trailing={<KeyOf command="session.newTerminal" />}
      >
        {t('empty.terminal')}
      </Button>
      <Button icon={Sparkle} onClick={() => runCommand('session.newClaude')} trailing={<KeyOf command="session.newClaude" />}>
        {t('empty.claude')}
      </Button>
    </>
  );
}

function KeyOf({ command }: { command: 'session.newTerminal' | 'session.newClaude' }) {
  const label = keyLabel(command);
  return label ? (
    <Kbd className="ml-1" aria-hidden>
      {label}
    </Kbd>
  ) : null;
}
