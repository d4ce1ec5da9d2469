import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { renameSession, sessionOf } from '../session-actions.ts';
import { RenameDialog } from './rename-dialog.tsx';

export function RenameSession({ runId, onClose }: { runId: RunId; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <RenameDialog
      title={t('rename.title')}
      label={t('rename.label')}
      help={t('rename.help')}
      action={t('rename.do')}
      name={sessionOf(runId)?.title ?? ''}
      maxLength={256}
      rename={(title) => renameSession(runId, title)}
      onClose={onClose}
    />
  );
}
