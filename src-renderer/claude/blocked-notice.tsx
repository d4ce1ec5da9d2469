import { useTranslation } from 'react-i18next';
import type { MachineId } from '../../src-shared/ids.ts';
import { fixClaude } from '../start/claude-notice.tsx';
import { Button } from '../ui/button.tsx';
import { showFailure } from '../ui/toasts.tsx';
import { openPane } from '../workspace/workspace.ts';

const CODES = ['not-signed-in', 'not-installed', 'too-old'] as const;
type Code = (typeof CODES)[number];

/** Claude cannot work until the user does something: one sentence, the button that does it, and the way on afterwards. */
export function BlockedNotice({
  code,
  message,
  machineId,
  onRetry,
}: {
  code: string;
  message: string;
  /** Where it runs; null: on this machine. */
  machineId: MachineId | null;
  onRetry: () => Promise<void>;
}) {
  const { t } = useTranslation('claude');
  const { t: frame } = useTranslation();
  const known: Code | undefined = CODES.find((each) => each === code);
  const fix = async (state: Code) => {
    try {
      await fixClaude({ state, path: null }, machineId);
    } catch (error) {
      showFailure(t('blocked.failed'), error);
    }
  };
  return (
    <div role="alert" className="flex flex-wrap items-center gap-2 rounded-md border border-line bg-accent-soft px-3 py-2">
      <p className="min-w-50 flex-1 break-words selectable">{message}</p>
      {known !== undefined && (
        <Button size="sm" variant="primary" onClick={() => void fix(known)}>
          {frame(`claude.fix.${known}`)}
        </Button>
      )}
      {known === 'not-signed-in' && (
        <Button size="sm" onClick={() => openPane({ is: 'page', page: 'settings' })}>
          {t('blocked.apiKey')}
        </Button>
      )}
      <Button size="sm" variant="quiet" onClick={() => void onRetry()}>
        {t('tryAgain')}
      </Button>
    </div>
  );
}
