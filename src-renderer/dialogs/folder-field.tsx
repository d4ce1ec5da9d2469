import { FolderOpen } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { MachineId } from '../../src-shared/ids.ts';
import { call } from '../engine.ts';
import { shell } from '../shell.ts';
import { shortPath } from '../sidebar/project.ts';
import { useWindow } from '../store.ts';
import { Button } from '../ui/button.tsx';
import { Field, Input } from '../ui/input.tsx';
import { showFailure } from '../ui/toasts.tsx';
import { useFolders } from './use-folders.ts';

/** A folder: typed, chosen, or one of the recent ones. */
export function FolderField({
  value,
  machineId,
  onChange,
  problem,
}: {
  value: string;
  /** Whose folders they are; null: this machine's. */
  machineId: MachineId | null;
  onChange: (folder: string) => void;
  problem?: string | undefined;
}) {
  const { t } = useTranslation();
  const known = useWindow((window) => window.preferences.recentFolders);
  const recent = machineId === null ? known.filter((folder) => folder !== value) : [];
  const [isTyping, setTyping] = useState(false);
  const found = useFolders(isTyping ? value : '', machineId);
  const offered = found.length > 0 ? found : recent;
  const choose = async () => {
    try {
      const { path } = await call('shell.chooseFolder', { start: value === '' || value === '~' ? null : value });
      if (path !== null) onChange(path);
    } catch (error) {
      showFailure(t('failed', { what: t('folder.choose') }), error);
    }
  };
  return (
    <>
      <Field label={t('folder.label')} problem={problem}>
        {(ids) => (
          <div className="flex gap-2">
            <Input
              {...ids}
              required
              value={value}
              onChange={(event) => {
                setTyping(true);
                onChange(event.target.value);
              }}
              className="font-mono"
            />
            {/* A browser can choose its own device's folders only, and a desktop this machine's. */}
            {shell !== null && machineId === null && (
              <Button icon={FolderOpen} onClick={() => void choose()}>
                {t('folder.choose')}
              </Button>
            )}
          </div>
        )}
      </Field>
      {offered.length > 0 && (
        <ul aria-label={found.length > 0 ? t('folder.found') : t('folder.recent')} className="-mt-0.5 mb-1 flex flex-wrap gap-1">
          {offered.slice(0, 5).map((folder) => (
            <li key={folder} className="max-w-full">
              <button
                type="button"
                title={folder}
                onClick={() => onChange(folder)}
                className="h-5 max-w-60 truncate rounded-sm bg-hover px-1.5 text-11 leading-5 text-dim hover:text-text"
              >
                {shortPath(folder)}
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
