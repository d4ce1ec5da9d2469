import { Plus, X } from 'lucide-react';
import { type ChangeEvent, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { Settings } from '../../src-shared/settings.ts';
import { TERMINAL_PALETTES } from '../../src-shared/terminal-palettes.ts';
import { call } from '../engine.ts';
import { useWindow } from '../store.ts';
import { importPalette, PALETTE_MOST_BYTES, PaletteError } from '../terminal/palette-import.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { showFailure } from '../ui/toasts.tsx';
import type { RowIds } from './row.tsx';

type Palettes = Settings['terminal.palettes'];

/** Palettes that the user has brought along: import one from a file (it is chosen at once), or remove it. */
export function PalettesField({ ids }: { ids: RowIds }) {
  const { t } = useTranslation('settings');
  const palettes = useWindow((window) => window.settings['terminal.palettes']);
  const chosen = useWindow((window) => window.settings['terminal.palette']);
  const picker = useRef<HTMLInputElement>(null);
  const take = async (file: File) => {
    try {
      if (file.size > PALETTE_MOST_BYTES) throw new Error(t('terminal.palettes.tooLarge'));
      const palette = importPalette(file.name, await file.text());
      const key = freeKey(palette.name, palettes);
      await change({ 'terminal.palettes': { ...palettes, [key]: palette }, 'terminal.palette': key });
    } catch (error) {
      const why = error instanceof PaletteError ? new Error(t(`terminal.palettes.${error.reason}`, { what: error.what })) : error;
      showFailure(t('terminal.palettes.failed', { file: file.name }), why);
    }
  };
  const remove = (key: string) => {
    const { [key]: _, ...others } = palettes;
    change({ 'terminal.palettes': others, ...(chosen === key ? { 'terminal.palette': null } : {}) }).catch((error: unknown) =>
      showFailure(t('terminal.palettes.notSaved'), error),
    );
  };
  const handleFile = (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    // The same file can be chosen again.
    event.target.value = '';
    if (file) void take(file);
  };
  return (
    <div className="flex w-full flex-col items-start gap-1">
      {Object.entries(palettes).map(([key, { name }]) => (
        <div key={key} className="flex w-full items-center gap-1">
          <span className="min-w-0 flex-1 truncate">{name}</span>
          <IconButton icon={X} label={t('terminal.palettes.remove', { name })} onClick={() => remove(key)} />
        </div>
      ))}
      <Button {...ids} size="sm" icon={Plus} onClick={() => picker.current?.click()}>
        {t('terminal.palettes.import')}
      </Button>
      <input ref={picker} type="file" hidden accept=".itermcolors,.yaml,.yml,.json" onChange={handleFile} />
    </div>
  );
}

async function change(changes: Parameters<typeof call<'settings.set'>>[1]['changes']): Promise<void> {
  const { settings } = await call('settings.set', { changes });
  useWindow.setState({ settings });
}

/** A key that neither a palette of ours nor an imported one of another name has. The same name again replaces the old one. */
function freeKey(name: string, palettes: Palettes): string {
  const base =
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '') || 'imported';
  const isFree = (key: string) =>
    !Object.hasOwn(TERMINAL_PALETTES, key) && (palettes[key] === undefined || palettes[key].name === name);
  let key = base;
  for (let n = 2; !isFree(key); n += 1) key = `${base}-${n}`;
  return key;
}
