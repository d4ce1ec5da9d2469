import { ChevronDown } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ResultOf } from '../../../src-shared/operations.ts';
import { call } from '../../engine.ts';
import { useKeyLabel } from '../../navigation/keymap.ts';
import { Icon } from '../../ui/icon.tsx';
import { Menu, type MenuItem } from '../../ui/menu.tsx';
import { describeFailure } from '../../ui/toasts.tsx';

type Models = ResultOf<'claude.models'>['models'];

export interface ModelMenuProps {
  /** null: Claude Code's own default. */
  readonly model: string | null;
  readonly onChange: (model: string | null) => void;
  readonly isOpen: boolean;
  readonly onOpenChange: (isOpen: boolean) => void;
}

/** Which model answers; asked for when the menu first opens. */
export function ModelMenu({ model, onChange, isOpen, onOpenChange }: ModelMenuProps) {
  const { t } = useTranslation('claude');
  const shortcut = useKeyLabel('claude.pickModel');
  const [models, setModels] = useState<Models | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    if (!isOpen || models !== null) return;
    call('claude.models', {}).then(
      (result) => setModels(result.models),
      (error: unknown) => setFailure(describeFailure(error)),
    );
  }, [isOpen, models]);
  const name = models?.find((each) => each.value === model)?.displayName ?? model ?? t('model.usual');
  const items: MenuItem[] = (models ?? []).map((each) => ({
    label: each.displayName,
    checked: each.value === model,
    onSelect: () => onChange(each.value),
  }));
  if (items.length === 0) items.push({ label: failure ?? t('loading'), disabled: true, onSelect: () => undefined });
  return (
    <span className="min-w-0">
      <Menu items={items} label={t('model.label')} open={isOpen} onOpenChange={onOpenChange}>
        <button
          type="button"
          title={shortcut === undefined ? t('model.label') : `${t('model.label')} (${shortcut})`}
          aria-label={t('model.current', { model: name })}
          className="flex h-6 max-w-full items-center gap-1 rounded-sm px-1.5 text-11 text-dim hover:bg-hover hover:text-text data-[state=open]:bg-hover"
        >
          <span className="truncate">{shortModel(name)}</span>
          <Icon of={ChevronDown} size={12} />
        </button>
      </Menu>
    </span>
  );
}

/** `claude-opus-5-5-20261101` as "opus-5-5": what tells models apart. */
export function shortModel(name: string): string {
  return name.replace(/^claude-/, '').replace(/-\d{8}$/, '');
}
