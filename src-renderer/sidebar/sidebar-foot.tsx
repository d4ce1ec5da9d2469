import { Sparkle, SquareTerminal } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { RelayStatus } from '../../src-shared/machines.ts';
import { runCommand } from '../commands.ts';
import { hasSeveral } from '../machines/machine-state.ts';
import { StandingMark } from '../machines/standing-mark.tsx';
import { useKeyLabel } from '../navigation/keymap.ts';
import { shell } from '../shell.ts';
import { useWindow } from '../store.ts';
import { Badge } from '../ui/badge.tsx';
import { classes } from '../ui/classes.ts';
import { Icon } from '../ui/icon.tsx';
import { Tooltip } from '../ui/tooltip.tsx';

/** The machine one is on, and the two beginnings. */
export function SidebarFoot() {
  return (
    <div className="flex h-8 shrink-0 items-center gap-1 border-t border-line pr-1.5 pl-3 phone:h-14 phone:gap-2 phone:px-4">
      <MachineLine />
      <DemoMark />
      <NewButtons />
    </div>
  );
}

export function MachineLine() {
  const { t } = useTranslation();
  const host = useWindow((window) => window.host);
  const connection = useWindow((window) => window.connection);
  const isLive = connection.is === 'live';
  const relay = useWindow((window) => (isLive && hasSeveral(window.machines) ? window.machines?.relay.state : undefined));
  if (relay !== undefined) return <RelayLine state={relay} />;
  return (
    <span
      className="flex min-w-0 flex-1 items-center gap-1.5 text-11 text-dim"
      title={host ? `Baton ${host.engineVersion}` : undefined}
    >
      <span
        aria-hidden
        className={classes('size-1.5 shrink-0 rounded-full', isLive ? 'bg-text-dim' : 'border border-control-line')}
        style={isLive ? { background: 'var(--text-dim)' } : undefined}
      />
      <span className="truncate">{host?.machine ?? t(`connection.${connection.is}`)}</span>
      <span className="sr-only">{t(`connection.${connection.is}`)}</span>
    </span>
  );
}

/** The list above names the machines: here stands whether they hear of each other. */
function RelayLine({ state }: { state: RelayStatus['state'] }) {
  const { t } = useTranslation('machines');
  return (
    <button
      type="button"
      onClick={() => runCommand('machines.show')}
      className="flex h-6 min-w-0 flex-1 items-center gap-1.5 rounded-sm text-left text-11 text-dim hover:text-text phone:h-11"
    >
      <StandingMark standing={state === 'live' ? 'online' : 'away'} />
      <span className="truncate">{t(`relay.line.${state}`)}</span>
    </button>
  );
}

/** A demonstration says so, always. */
export function DemoMark() {
  const { t } = useTranslation();
  if (!shell?.isDemo) return null;
  return (
    <span title={t('demoText')}>
      <Badge tone="accent">{t('demo')}</Badge>
    </span>
  );
}

/** In the sidebar's foot, or, while it is hidden, in the status line. */
export function NewButtons() {
  const { t } = useTranslation();
  return (
    <>
      <NewButton label={t('new.terminal')} short={t('new.terminalShort')} command="session.newTerminal" icon={SquareTerminal} />
      <NewButton label={t('new.claude')} short={t('new.claudeShort')} command="session.newClaude" icon={Sparkle} />
    </>
  );
}

function NewButton({
  label,
  short,
  command,
  icon,
}: {
  label: string;
  short: string;
  command: 'session.newTerminal' | 'session.newClaude';
  icon: typeof Sparkle;
}) {
  const shortcut = useKeyLabel(command);
  const isLive = useWindow((window) => window.connection.is === 'live');
  return (
    <Tooltip text={label} shortcut={shortcut}>
      <button
        type="button"
        aria-label={label}
        disabled={!isLive}
        onClick={() => runCommand(command)}
        className="flex h-6 shrink-0 items-center gap-1 rounded-sm px-1.5 text-11 text-dim transition-colors duration-120 hover:bg-hover hover:text-text disabled:opacity-50 phone:h-11 phone:gap-2 phone:border phone:border-line-strong phone:px-3"
      >
        <Icon of={icon} size={14} />
        {short}
      </button>
    </Tooltip>
  );
}
