import { CircleAlert, CircleCheck } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { MachineId } from '../../src-shared/ids.ts';
import { call } from '../engine.ts';
import { startTerminal } from '../session-actions.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNotice } from '../ui/error-notice.tsx';
import { Icon } from '../ui/icon.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { describeFailure, showFailure } from '../ui/toasts.tsx';
import type { ClaudeCheck, ClaudeChecked } from './claude-check.ts';

const installGuide = 'https://code.claude.com/docs/en/setup';

/** What stands between the user and Claude: one sentence, one button. `isQuiet` says nothing while all is well. */
export function ClaudeNotice({
  checked: { check, error, again },
  isQuiet = false,
  machineId = null,
  onLeave,
}: {
  checked: ClaudeChecked;
  /** Where it was looked; null: on this machine. */
  machineId?: MachineId | null;
  isQuiet?: boolean;
  /** The button leads elsewhere (to a terminal): what shows this notice may go. */
  onLeave?: () => void;
}) {
  const { t } = useTranslation();
  if (error !== null)
    return (
      <ErrorNotice title={t('claude.unknown')} text={describeFailure(error)} action={{ label: t('retry'), onSelect: again }} />
    );
  const state = check?.state;
  if (state === 'ready') return isQuiet ? null : <Ready version={check?.version ?? null} />;
  if (check === null || state === undefined)
    return isQuiet ? null : (
      <p className="flex items-center gap-2 text-dim">
        <Spinner /> {t('claude.checking')}
      </p>
    );
  const remedy = () => {
    void fixClaude(check, machineId)
      .then(() => onLeave?.())
      .catch((reason: unknown) => showFailure(t('failed', { what: t(`claude.fix.${state}`) }), reason));
  };
  return (
    <div className="flex items-start gap-2 rounded-md border border-line bg-sunken px-3 py-2">
      <Icon of={CircleAlert} className="mt-0.5 text-accent-text" />
      <p className="min-w-0 flex-1 selectable">{check.message}</p>
      <Button size="sm" onClick={remedy}>
        {t(`claude.fix.${state}`)}
      </Button>
    </div>
  );
}

function Ready({ version }: { version: string | null }) {
  const { t } = useTranslation();
  return (
    <p className="flex items-center gap-2">
      <Icon of={CircleCheck} className="text-added" />
      <span>{version === null ? t('claude.ready') : t('claude.readyVersion', { version })}</span>
    </p>
  );
}

/** Signing in and updating are Claude Code's own affairs: they happen in a terminal with its own program. */
export async function fixClaude(
  { state, path }: Pick<ClaudeCheck, 'state' | 'path'>,
  machineId: MachineId | null = null,
): Promise<void> {
  const program = path ?? 'claude';
  if (state === 'not-signed-in') await startTerminal({ command: program, args: ['/login'], cwd: '~', machineId });
  else if (state === 'too-old') await startTerminal({ command: program, args: ['update'], cwd: '~', machineId });
  else await call('shell.openLink', { url: installGuide });
}
