import { type KeyboardEvent, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Settings } from '../../src-shared/settings.ts';
import { joinWords, splitWords } from '../dialogs/words.ts';
import { call } from '../engine.ts';
import { useWindow } from '../store.ts';
import { Input, TextArea } from '../ui/input.tsx';
import { Select } from '../ui/select.tsx';
import { Switch } from '../ui/switch.tsx';
import { describeFailure } from '../ui/toasts.tsx';
import { PalettesField } from './palettes-field.tsx';
import { Row, type RowIds } from './row.tsx';
import type { Control, SettingKey, SettingRow } from './setting-rows.ts';

type Value = Settings[SettingKey];

/** One setting. The new value is shown when the engine has it in the file; what is refused is said below the name. */
export function SettingControl({ row: { key, control } }: { row: SettingRow }) {
  const { t, i18n } = useTranslation('settings');
  const value = useWindow((window) => window.settings[key]);
  const [problem, setProblem] = useState<string>();
  const change = async (next: Value) => {
    try {
      const { settings } = await call('settings.set', { changes: { [key]: next } });
      useWindow.setState({ settings });
      setProblem(undefined);
    } catch (error) {
      setProblem(`${t('page.notSaved')}: ${describeFailure(error)}`);
    }
  };
  const help = i18n.exists(`${key}.help`, { ns: 'settings' }) ? i18n.t(`${key}.help` as never, { ns: 'settings' }) : undefined;
  return (
    <Row label={t(`${key}.label`)} help={help} problem={problem} isWide={control.is === 'json'}>
      {(ids) => (
        <Field
          ids={ids}
          settingKey={key}
          control={control}
          value={value}
          onChange={(next) => void change(next)}
          onProblem={setProblem}
        />
      )}
    </Row>
  );
}

interface FieldProps<C extends Control = Control> {
  readonly ids: RowIds;
  readonly settingKey: SettingKey;
  readonly control: C;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
  readonly onProblem: (problem: string | undefined) => void;
}

function Field(props: FieldProps) {
  const { ids, control, value, onChange } = props;
  switch (control.is) {
    case 'switch':
      return <Switch {...ids} checked={value === true} onChange={onChange} />;
    case 'choice':
      return <Choice {...props} control={control} />;
    case 'number':
      return <NumberField {...props} control={control} />;
    case 'text':
      return (
        <Written {...props} className={control.mono ? 'font-mono' : ''} written={String(value)} read={(text) => text.trim()} />
      );
    case 'words':
      return (
        <Written
          {...props}
          className="font-mono"
          written={Array.isArray(value) ? joinWords(value) : ''}
          read={(text) => splitWords(text)}
        />
      );
    case 'json':
      return <JsonField {...props} />;
    case 'palettes':
      return <PalettesField ids={ids} />;
  }
}

function Choice({ ids, settingKey, control, value, onChange }: FieldProps<Extract<Control, { is: 'choice' }>>) {
  const { i18n } = useTranslation('settings');
  const imported = useWindow((window) => window.settings['terminal.palettes']);
  const offered = settingKey === 'terminal.palette' ? [...control.options, ...Object.keys(imported)] : control.options;
  const known = [...new Set([...offered, String(value)])];
  const options = known.map((option) => ({
    value: option,
    label:
      (settingKey === 'terminal.palette' ? imported[option]?.name : undefined) ??
      control.names?.[option] ??
      i18n.t(`${settingKey}.${option}` as never, { ns: 'settings', defaultValue: option }),
  }));
  // The engine checks what it writes; the table of options is tested against the settings' own.
  return <Select {...ids} value={String(value)} options={options} onChange={(next) => onChange(next as Value)} />;
}

/** What is typed counts when one leaves the field or presses Enter; Escape takes it back. */
function useWritten(stored: string, take: (text: string) => void) {
  const [text, setText] = useState(stored);
  useEffect(() => setText(stored), [stored]);
  return {
    value: text,
    onBlur: () => {
      if (text !== stored) take(text);
    },
    onChange: (event: { target: { value: string } }) => setText(event.target.value),
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === 'Enter' && text !== stored) take(text);
      if (event.key === 'Escape') setText(stored);
    },
  };
}

function Written({
  ids,
  written,
  read,
  onChange,
  className,
}: FieldProps & { written: string; read: (text: string) => Value; className: string }) {
  const field = useWritten(written, (text) => onChange(read(text)));
  return <Input {...ids} {...field} className={className} />;
}

function NumberField({ ids, control, value, onChange, onProblem }: FieldProps<Extract<Control, { is: 'number' }>>) {
  const { t } = useTranslation('settings');
  const { least, most, step } = control;
  const field = useWritten(String(value), (text) => {
    const number = Number(text);
    if (text.trim() === '' || !(number >= least && number <= most)) onProblem(t('page.outOfRange', { least, most }));
    else onChange(number);
  });
  return <Input {...ids} {...field} type="number" min={least} max={most} step={step} className="tabular-nums" />;
}

function JsonField({ ids, value, onChange, onProblem }: FieldProps) {
  const { t } = useTranslation('settings');
  const { onKeyDown: _, ...field } = useWritten(JSON.stringify(value, null, 2), (text) => {
    const read = readObject(text);
    if (read === null) onProblem(t('page.notAnObject'));
    else onChange(read);
  });
  return <TextArea {...ids} {...field} rows={5} className="font-mono" />;
}

function readObject(text: string): Settings['claude.options'] | null {
  try {
    const read: unknown = text.trim() === '' ? {} : JSON.parse(text);
    return typeof read === 'object' && read !== null && !Array.isArray(read) ? (read as Settings['claude.options']) : null;
  } catch {
    return null;
  }
}
