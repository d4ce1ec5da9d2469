import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { call } from '../engine.ts';
import { announce } from './announcer.tsx';
import { IconButton } from './button.tsx';
import { showFailure } from './toasts.tsx';

const shownMs = 1500;

/** Puts `text` on the clipboard and says so. */
export function CopyTextButton({ text, label }: { text: string; label: string }) {
  const { t } = useTranslation();
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), shownMs);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const press = async () => {
    try {
      await call('shell.clipboardWrite', { text });
      setCopied(true);
      announce(t('copied'));
    } catch (error) {
      showFailure(t('failed', { what: label }), error);
    }
  };
  return <IconButton icon={isCopied ? Check : Copy} label={label} onClick={() => void press()} />;
}
