import { FileJson2 } from 'lucide-react';
import { useEffect, useId, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { runCommand } from '../commands.ts';
import { call } from '../engine.ts';
import type { Preferences } from '../preferences.ts';
import { useClaudeCheck } from '../start/claude-check.ts';
import { ClaudeNotice } from '../start/claude-notice.tsx';
import { useWindow } from '../store.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNotice } from '../ui/error-notice.tsx';
import { Select } from '../ui/select.tsx';
import type { PageProps } from '../workspace/pane.tsx';
import { changePreferences } from '../workspace/saved-layout.ts';
import { ApiKeyRow } from './api-key-row.tsx';
import { PageFrame } from './page-frame.tsx';
import { PalettePreview } from './palette-preview.tsx';
import { Row } from './row.tsx';
import { SettingControl } from './setting-control.tsx';
import { rowsOf, SETTING_GROUPS, type SettingGroup, type SettingRow } from './setting-rows.ts';

/** Everything in settings.json, by group; a change is in force at once. */
export function SettingsPage({ visible }: PageProps) {
  const { t } = useTranslation('settings');
  const [query, setQuery] = useState('');
  const isKnown = useWindow((window) => window.settingsFile !== null);
  const groups = useMatching(query);
  return (
    <PageFrame
      page="settings"
      visible={visible}
      label={t('page.search')}
      query={query}
      onQuery={setQuery}
      aside={
        <Button size="sm" variant="quiet" icon={FileJson2} onClick={() => runCommand('settings.openFile')}>
          <span className="@max-[400px]:sr-only">{t('page.openFile')}</span>
        </Button>
      }
    >
      <div className="mx-auto max-w-170 px-4 pt-2 pb-16">
        <Problems />
        {!isKnown && <p className="py-4 text-faint">{t('page.loading')}</p>}
        {isKnown && groups.map(({ group, rows }) => <Group key={group} group={group} rows={rows} isWhole={query === ''} />)}
        {isKnown && groups.length === 0 && <p className="py-8 text-center text-faint">{t('page.none')}</p>}
      </div>
    </PageFrame>
  );
}

/** The groups with the rows whose name, help or key has every word of the query. */
function useMatching(query: string): readonly { group: SettingGroup; rows: readonly SettingRow[] }[] {
  const { t, i18n } = useTranslation('settings');
  return useMemo(() => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    return SETTING_GROUPS.map((group) => {
      const rows = rowsOf(group).filter(({ key }) => {
        const help = i18n.exists(`${key}.help`, { ns: 'settings' }) ? i18n.t(`${key}.help` as never, { ns: 'settings' }) : '';
        const text = [t(`groups.${group}`), t(`${key}.label`), help, key].join(' ').toLowerCase();
        return words.every((word) => text.includes(word));
      });
      return { group, rows };
    }).filter(({ rows }) => rows.length > 0);
  }, [query, t, i18n]);
}

function Group({ group, rows, isWhole }: { group: SettingGroup; rows: readonly SettingRow[]; isWhole: boolean }) {
  const { t } = useTranslation('settings');
  const id = useId();
  return (
    <section aria-labelledby={id} className="pt-6">
      <h2 id={id} className="pb-1 text-15 font-semibold">
        {t(`groups.${group}`)}
      </h2>
      {group === 'claude' && isWhole && <ClaudeState />}
      <div className="divide-y divide-line">
        {rows.map((row) => (
          <div key={row.key}>
            <SettingControl row={row} />
            {row.key === 'terminal.palette' && <PalettePreview />}
            {row.key === 'claude.executable' && <ApiKeyRow />}
          </div>
        ))}
        {group === 'window' && isWhole && <ClosingPaneRow />}
        {group === 'machines' && isWhole && <MachinesRow />}
      </div>
    </section>
  );
}

function ClaudeState() {
  const checked = useClaudeCheck();
  return (
    <div className="py-1">
      <ClaudeNotice checked={checked} />
    </div>
  );
}

function MachinesRow() {
  const { t } = useTranslation('machines');
  return (
    <Row label={t('page.yours')} help={t('page.setting')}>
      {(ids) => (
        <Button {...ids} aria-label={t('page.show')} onClick={() => runCommand('machines.show')}>
          {t('page.show')}
        </Button>
      )}
    </Row>
  );
}

function ClosingPaneRow() {
  const { t } = useTranslation('settings');
  const closingPane = useWindow((window) => window.preferences.closingPane);
  const options: readonly Preferences['closingPane'][] = ['ask', 'keep', 'end'];
  return (
    <Row label={t('window.closingPane.label')} help={t('window.closingPane.help')}>
      {(ids) => (
        <Select
          {...ids}
          className="w-56"
          value={closingPane}
          options={options.map((value) => ({ value, label: t(`window.closingPane.${value}`) }))}
          onChange={(value) => changePreferences(() => ({ closingPane: value }))}
        />
      )}
    </Row>
  );
}

/** What is wrong in settings.json, each by name; what could not be read is not in force. */
function Problems() {
  const { t } = useTranslation('settings');
  const file = useWindow((window) => window.settingsFile);
  const keybindingsProblems = useWindow((window) => window.settingsFile?.problems.length ?? 0);
  useEffect(() => {
    // The file may have been mended since: `settings:changed` carries the settings but not the problems.
    void call('settings.get', {}).then(
      ({ settings, path, problems }) => useWindow.setState({ settings, settingsFile: { path, problems } }),
      (error: unknown) => console.warn('the settings could not be read again', error),
    );
  }, []);
  if (file === null || keybindingsProblems === 0) return null;
  return (
    <div className="pt-4">
      <ErrorNotice
        title={t('page.problems', { count: file.problems.length })}
        action={{ label: t('page.openFile'), onSelect: () => void runCommand('settings.openFile') }}
      >
        <ul className="list-disc pl-4 text-dim">
          {file.problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      </ErrorNotice>
    </div>
  );
}
