import { ChevronDown, ShieldAlert } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { PermissionMode } from '../../../src-shared/session.ts';
import { useKeyLabel } from '../../navigation/keymap.ts';
import { Button } from '../../ui/button.tsx';
import { classes } from '../../ui/classes.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Menu } from '../../ui/menu.tsx';
import { useModeName } from '../mode-name.ts';

/** What Shift+Tab goes through. The other modes are chosen from the menu. */
const CYCLE: readonly PermissionMode[] = ['default', 'acceptEdits', 'plan'];

export function nextMode(mode: string): PermissionMode {
  const at = CYCLE.indexOf(PermissionMode.safeParse(mode).data ?? 'default');
  return CYCLE[(at + 1) % CYCLE.length] ?? 'default';
}

/** How much Claude asks: always in sight, because everything else follows from it. */
export function ModeMenu({ mode, onChange }: { mode: string; onChange: (mode: PermissionMode) => void }) {
  const { t } = useTranslation('claude');
  const nameOf = useModeName();
  const shortcut = useKeyLabel('claude.cycleMode');
  const [isAsking, setAsking] = useState(false);
  const name = nameOf(mode);
  const choose = (chosen: PermissionMode) => {
    if (chosen === 'bypassPermissions' && mode !== chosen) setAsking(true);
    else if (chosen !== mode) onChange(chosen);
  };
  const items = PermissionMode.options.map((option) => ({
    label: nameOf(option),
    checked: option === mode,
    onSelect: () => choose(option),
  }));
  return (
    <>
      <Menu items={items} label={t('mode.label')}>
        <button
          type="button"
          title={shortcut === undefined ? t('mode.label') : `${t('mode.label')} (${shortcut})`}
          aria-label={t('mode.current', { mode: name })}
          className={classes(
            'flex h-6 min-w-0 items-center gap-1 rounded-sm px-1.5 text-11 whitespace-nowrap hover:bg-hover data-[state=open]:bg-hover',
            mode === 'bypassPermissions' ? 'text-danger' : mode === 'default' ? 'text-dim' : 'text-accent-text',
          )}
        >
          {mode === 'bypassPermissions' && <Icon of={ShieldAlert} size={12} />}
          <span className="truncate">{name}</span>
          <Icon of={ChevronDown} size={12} />
        </button>
      </Menu>
      <Dialog
        open={isAsking}
        onOpenChange={setAsking}
        title={t('mode.bypassTitle')}
        description={t('mode.bypassText')}
        actions={
          <>
            <Button onClick={() => setAsking(false)}>{t('cancel')}</Button>
            <Button
              variant="danger"
              onClick={() => {
                setAsking(false);
                onChange('bypassPermissions');
              }}
            >
              {t('mode.bypassConfirm')}
            </Button>
          </>
        }
      >
        <p className="text-dim">{t('mode.bypassLimits')}</p>
      </Dialog>
    </>
  );
}
