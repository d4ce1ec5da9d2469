import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { writeClipboard } from '../clipboard.ts';
import { announce } from './announcer.tsx';
import { IconButton } from './button.tsx';
import { showFailure } from './toasts.tsx';

const shownMs = 1500;

interface CopyButtonProps {
  /** A function is asked when the button is pressed. */
  readonly text: string | (() => string);
  readonly label: string;
  readonly className?: string;
}

/** Puts `text` on the clipboard and says so. */
export function CopyButton({ text, label, className }: CopyButtonProps) {
  const { t } = useTranslation();
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), shownMs);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const press = async () => {
    try {
      await writeClipboard(typeof text === 'string' ? text : text());
      setCopied(true);
      announce(t('copied'));
    } catch (error) {
      showFailure(t('failed', { what: label }), error);
    }
  };
  return <IconButton icon={isCopied ? Check : Copy} label={label} onClick={() => void press()} className={className ?? ''} />;
}
