import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { announce } from '../ui/announcer.tsx';
import { IconButton } from '../ui/button.tsx';
import { showFailure } from '../ui/toasts.tsx';
import { useConversation } from './conversation-context.ts';

const shownMs = 1500;

/** Copies what `text` gives when it is pressed, and says so. */
export function CopyButton({ text, label, className }: { text: () => string; label: string; className?: string }) {
  const { t } = useTranslation('claude');
  const { copy } = useConversation();
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), shownMs);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const press = async () => {
    try {
      await copy(text());
      setCopied(true);
      announce(t('copied'));
    } catch (error) {
      showFailure(t('copyFailed'), error);
    }
  };
  return <IconButton icon={isCopied ? Check : Copy} label={label} onClick={() => void press()} className={className ?? ''} />;
}
