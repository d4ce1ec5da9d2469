import { ArrowDown, ArrowLeft, ArrowRight, ArrowUp, ClipboardPaste } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useStore } from 'zustand';
import { Icon } from '../ui/icon.tsx';
import { SOFT_KEYS, type SoftKey, type SoftKeys } from './soft-keys.ts';

const faces: Record<SoftKey, ReactNode> = {
  escape: 'Esc',
  tab: 'Tab',
  left: <Icon of={ArrowLeft} />,
  down: <Icon of={ArrowDown} />,
  up: <Icon of={ArrowUp} />,
  right: <Icon of={ArrowRight} />,
  dash: '-',
  slash: '/',
  pipe: '|',
  tilde: '~',
};

/** Below a terminal on a phone: the keys that its keyboard has not. */
export function SoftKeysRow({ keys, onPaste }: { keys: SoftKeys; onPaste: () => void }) {
  const { t } = useTranslation('terminal');
  const isCtrl = useStore(keys.ui, (ui) => ui.isCtrl);
  return (
    <div
      role="toolbar"
      aria-label={t('softKeys.name')}
      // The focus stays where it is: the keyboard on the screen neither comes nor goes.
      onMouseDown={(event) => event.preventDefault()}
      className="flex shrink-0 overflow-x-auto border-t border-line bg-sunken [scrollbar-width:none]"
    >
      <Key label={t('softKeys.control')} isPressed={isCtrl} onPress={() => keys.toggleCtrl()}>
        Ctrl
      </Key>
      {SOFT_KEYS.map((key) => (
        <Key key={key} label={t(`softKeys.${key}`)} onPress={() => keys.press(key)}>
          {faces[key]}
        </Key>
      ))}
      <Key label={t('softKeys.paste')} onPress={onPaste}>
        <Icon of={ClipboardPaste} />
      </Key>
    </div>
  );
}

function Key({
  label,
  isPressed,
  onPress,
  children,
}: {
  label: string;
  isPressed?: boolean;
  onPress: () => void;
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      aria-label={label}
      aria-pressed={isPressed}
      onClick={onPress}
      className="flex h-11 min-w-11 flex-1 items-center justify-center px-2 font-mono text-13 text-dim active:bg-selected aria-pressed:bg-accent-soft aria-pressed:text-accent-text"
    >
      {children}
    </button>
  );
}
